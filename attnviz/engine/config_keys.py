"""The strict reading of config.json.

A configuration key that is dropped in silence can draw wrong attention that looks right. So each key is either used,
known to be harmless, or the model is refused by the name of the key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from attnviz.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

T = TypeVar("T")
REQUIRED: Final = object()  # the default of a key that must be there

# The most that any real model has, with room; beyond it a number is a slip or an attack.
MOST_LAYERS, MOST_HEADS, WIDEST, LARGEST_VOCABULARY = 1_000, 4_096, 1_000_000, 10_000_000
LONGEST = 1 << 31


class ConfigKeys:
    """Reads keys out of a parsed config.json and remembers which ones were read.

    A name may list spellings, "n_embd|hidden_size"; where several are there, they must mean the same. Without a `default` a key
    must be there; null counts as absent. Raises ModelError with the key's name for a value that is not as expected.
    """

    def __init__(self, values: Mapping[str, Any], where: str) -> None:
        self._values = values
        self._where = where
        self._read: set[str] = set()

    def refuse(self, problem: str) -> ModelError:
        """The error to raise for `problem`, with the file named."""
        return ModelError(f"{self._where}: {problem}")

    def has(self, name: str) -> bool:
        """Whether the key is there and not null; that alone does not count as reading it."""
        return any(self._values.get(spelling) is not None for spelling in name.split("|"))

    def is_null(self, name: str) -> bool:
        """Whether the key is there and null, which to some families is not the same as absent."""
        return name in self._values and self._values[name] is None

    def first(self, *names: str) -> str:
        """The first of these keys that is there and not null, else the first; the others go without being read."""
        return next(filter(self.has, names), names[0])

    def integer(self, name: str, low: int, high: int, default: Any = REQUIRED) -> int:
        """The whole number under `name`, between `low` and `high`."""

        def meaning(name: str, value: Any) -> int:
            if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
                raise self.refuse(f'"{name}" is {short(value)}, expected a whole number from {low} to {high}')
            return value

        return self._take(name, default, meaning)

    def number(self, name: str, low: float, high: float, default: Any = REQUIRED) -> float:
        """The number under `name`, between `low` and `high`."""

        def meaning(name: str, value: Any) -> float:
            if not _is_number(value) or not low <= value <= high:
                raise self.refuse(f'"{name}" is {short(value)}, expected a number from {low:g} to {high:g}')
            return float(value)

        return self._take(name, default, meaning)

    def flag(self, name: str, default: Any = REQUIRED) -> bool:
        """True or false under `name`."""

        def meaning(name: str, value: Any) -> bool:
            if not isinstance(value, bool):
                raise self.refuse(f'"{name}" is {short(value)}, expected true or false')
            return value

        return self._take(name, default, meaning)

    def choice(self, name: str, meanings: Mapping[str, T], default: Any = REQUIRED) -> T:
        """What the word under `name` means by the table `meanings`."""

        def meaning(name: str, value: Any) -> T:
            if not isinstance(value, str) or value not in meanings:
                raise self.refuse(f'"{name}" is {short(value)}; attnviz knows {", ".join(meanings)}')
            return meanings[value]

        return self._take(name, default, meaning)

    def words(self, name: str, allowed: Collection[str], length: int) -> list[str] | None:
        """The list of `length` words under `name`, each one of `allowed`; None where the key is absent."""

        def meaning(name: str, value: Any) -> list[str]:
            if not isinstance(value, list) or len(value) != length or not all(isinstance(w, str) and w in allowed for w in value):
                raise self.refuse(f'"{name}" is {short(value)}, expected {length} times one of {", ".join(allowed)}')
            return value

        return self._take(name, None, meaning)

    def strings(self, name: str) -> list[str]:
        """The words under `name`; none where the key is absent or something else."""
        value = self._take(name, None)
        return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []

    def numbers(self, name: str, length: int) -> tuple[float, ...]:
        """The list of `length` positive numbers under `name`, from a millionth to a million."""

        def meaning(name: str, value: Any) -> tuple[float, ...]:
            if not isinstance(value, list) or len(value) != length or not all(_is_number(x) and 1e-6 <= x <= 1e6 for x in value):
                raise self.refuse(f'"{name}" is {short(value)}, expected a list of {length} numbers from 1e-06 to 1e+06')
            return tuple(map(float, value))

        return self._take(name, REQUIRED, meaning)

    def part(self, name: str) -> ConfigKeys | None:
        """The keys of the object under `name`, to be read and finished like these; None where the key is absent."""
        value = self._take(name, None)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.refuse(f'"{name}" is {short(value)}, expected an object')
        return ConfigKeys(value, f'{self._where}, in "{name}"')

    def assume(self, name: str, value: Any) -> None:
        """Read `value` under the first spelling of `name` where the key is absent."""
        if not self.has(name):
            self._values = {**self._values, name.split("|")[0]: value}

    def only(self, name: str, *allowed: Any) -> None:
        """Accept the absence of `name`, or exactly one of the values `allowed`: the forward pass is written for those."""
        self._read.add(name)
        value = self._values.get(name)
        if value is not None and not any(type(value) is type(one) and value == one for one in allowed):
            raise self.refuse(f'"{name}" is {short(value)}, which attnviz does not compute; it would draw wrong attention')

    def finish(self, harmless: Collection[str]) -> None:
        """Refuse the model if a key is left that was neither read nor is known to be `harmless`."""
        left = sorted(set(self._values) - self._read - set(harmless))
        if left:
            names = ", ".join(f'"{short_name(name)}"' for name in left[:5]) + (", …" if len(left) > 5 else "")
            raise self.refuse(
                f"attnviz does not know what {names} would change and draws nothing that may be wrong; choose another model."
            )

    def _take(self, names: str, default: Any = REQUIRED, meaning: Callable[[str, Any], Any] = lambda name, value: value) -> Any:
        """What the value means under each spelling that is there. Raises ModelError if two of them mean different things: which
        one would count, other programs decide each in their own way."""
        spellings = names.split("|")
        self._read.update(spellings)
        there = {name: meaning(name, self._values[name]) for name in spellings if self._values.get(name) is not None}
        if not there:
            if default is REQUIRED:
                raise self.refuse(f'"{spellings[0]}" is missing; the file is not a complete model configuration')
            return default
        first, *others = there
        for other in others:
            if there[other] != there[first]:
                raise self.refuse(
                    f'"{first}" is {short(self._values[first])} and "{other}" is {short(self._values[other])}, two spellings of '
                    "one key; correct the wrong one"
                )
        return there[first]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


def short(value: Any) -> str:
    """The value as Python writes it, cut to what fits into a sentence."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def short_name(name: str) -> str:
    """A key cut to what fits into a sentence."""
    return name if len(name) <= 60 else name[:57] + "..."
