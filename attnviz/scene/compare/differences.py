"""What tells two runs that are compared from each other, in a few words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from attnviz.scene.what_if import MUTING_NAMES, change_lines, place_name
from attnviz.scene.words import count_of, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.session.run import Run

_LONGEST_TEXT: Final = 90
_MOST_NAMES: Final = 6
_BEFORE: Final = 3  # words that stand before the first one in which two long texts differ


def differences(run: Run, with_texts: bool = True) -> tuple[str, str]:
    """What tells a run from the one that it is compared with, and that one from it; with_texts: their texts are told too, which
    some pictures show anyway.

    Raises AssertionError for a run that is compared with none.
    """
    assert run.against is not None
    one, other = run.trace, run.against.trace
    parts: list[tuple[str, str]] = []
    same_model = run.model.path == run.against.model.path
    same_text = (one.text, one.pair) == (other.text, other.pair)
    if not same_model:
        parts.append(_models(run, run.against))
    if not same_text and with_texts:
        parts.append(_texts(run, run.against))
    heads = (_heads(run), _heads(run.against))
    if heads[0] != heads[1] and (same_model or one.has_other_heads or other.has_other_heads):
        parts.append(heads)
    changes = _changes(run), _changes(run.against)
    if changes[0] != changes[1]:
        parts.append((changes[0] or "no head changed", changes[1] or "no head changed"))
    if not parts and same_text:
        return "this run", "the same run again"
    return ", ".join(part[0] for part in parts), ", ".join(part[1] for part in parts)


def told_apart(run: Run) -> str:
    """Both sides' differences in one line: "A with 1 head; B trained with 12 heads"."""
    return "; ".join(f"{letter} {text}" for letter, text in zip("AB", differences(run), strict=True))


def alone_note(run: Run) -> str | None:
    """That a picture is of one run alone though two are compared; None where there is one."""
    if run.against is None:
        return None
    return f"This picture is of A alone, {differences(run)[0]}; arcs and matrix show both runs."


def _changes(run: Run) -> str:
    """What is changed of its heads: "heads muted: L3.H1, L4.H2; L2.H4 × 0.50"; "" for nothing."""
    trace, changes = run.trace, run.trace.changes
    parts = []
    if changes.muted:
        names = [place_name(trace, at) for at in sorted(changes.muted)]
        how = "" if changes.muting == "zero" else f" ({MUTING_NAMES[changes.muting].lower()})"
        parts.append(f"head{'s' if len(names) > 1 else ''} muted{how}: {_some(names)}")
    others = [text for _, text in change_lines(trace, replace(changes, muted=frozenset()))]
    return "; ".join([*parts, *([_some(others)] if others else [])])


def _some(names: Sequence[str]) -> str:
    """Some names with commas between them, the first ones of many."""
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more


def _models(run: Run, other: Run) -> tuple[str, str]:
    """The models' names, with their folders' where both have one name."""
    names = (run.model.name, other.model.name)
    if names[0] != names[1]:
        return names
    return f"{names[0]} ({run.model.path.parent.name})", f"{names[1]} ({other.model.path.parent.name})"


def _texts(run: Run, other: Run) -> tuple[str, str]:
    """Both runs' texts; of long ones what follows a little before the first word in which they differ."""
    whole = [" / ".join(filter(None, (one.trace.text, one.trace.pair))) for one in (run, other)]
    words = [text.split() for text in whole]
    if max(map(len, whole)) > _LONGEST_TEXT:
        same = next((at for at, pair in enumerate(zip(*words, strict=False)) if pair[0] != pair[1]), min(map(len, words)))
        if same > _BEFORE:
            words = [["\N{HORIZONTAL ELLIPSIS}", *of_one[same - _BEFORE :]] for of_one in words]
    told = [shortened(" ".join(of_one), _LONGEST_TEXT) for of_one in words]
    return tuple(f"\N{LEFT DOUBLE QUOTATION MARK}{text}\N{RIGHT DOUBLE QUOTATION MARK}" for text in told)


def _heads(run: Run) -> str:
    count = count_of(run.trace.head_count, "head")
    return f"with {count}" if run.trace.has_other_heads else f"trained with {count}"
