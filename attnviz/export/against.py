"""The options that name what a run is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

# What is read and by which model; all other options of what to run are of what is changed of its heads.
TEXTS: Final = ("--model", "--text", "--pair")
_NOT_OF_HEADS: Final = (*TEXTS, "--written", "--attention")
_WITH: Final = "--with-"
TRAINED: Final = f"{_WITH}trained"


def with_option(name: str) -> str:
    """The option for the other run that an option for a run has: "--with-text" for "--text"."""
    return _WITH + name.removeprefix("--")


def against_options(ours: Iterable[str], theirs: Iterable[str]) -> list[str]:
    """The options of `attnviz compare` for a run that is compared with another, from the options that would run each of them.

    B has what A has but for these options; where A's heads are changed in another way than B's, all of that is taken back first.
    """
    one, other = _by_name(ours), _by_name(theirs)
    told = [words for name in TEXTS for words in other.get(name, []) if other[name] != one.get(name)]
    if "--pair" in one and "--pair" not in other:
        told.append(["--pair="])
    # Behind another text stands nothing of what the model wrote behind this one.
    written = [["--written="]] if told or "--written" not in one else one["--written"]
    if other.get("--written", [["--written="]]) != written:
        told += other.get("--written", [["--written="]])
    heads, other_heads = ({name: words for name, words in run.items() if name not in _NOT_OF_HEADS} for run in (one, other))
    is_reset = heads != other_heads and bool(heads)
    if heads != other_heads:
        told += [words for several in other_heads.values() for words in several]
    found = [word for words in told for word in (with_option(words[0]), *words[1:])]
    return [TRAINED, *found] if is_reset or not found else found


def _by_name(words: Iterable[str]) -> dict[str, list[list[str]]]:
    """The words of a command as options: under the name of each all of its uses, with their values."""
    options: dict[str, list[list[str]]] = {}
    for word in words:
        if word.startswith("--"):
            options.setdefault(word.partition("=")[0], []).append([word])
        else:
            options[next(reversed(options))][-1].append(word)
    return options
