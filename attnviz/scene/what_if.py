"""What is not as it was trained, and what that did, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attnviz.scene.words import count_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.engine.changes import Changes, HeadAt, Muting, WeightAt
    from attnviz.engine.trace import Trace
    from attnviz.session.run import Run

# As a person reads them, in the order they are offered.
MUTING_NAMES: Final[dict[Muting, str]] = {
    "zero": "Output zero",
    "uniform": "Uniform attention",
    "frozen": "Patterns frozen",
}
MUTING_TIPS: Final[dict[Muting, str]] = {
    "zero": "A muted head writes nothing: its output is zero (Michel et al. 2019)",
    "uniform": "A muted head looks at all tokens alike (Kovaleva et al. 2019)",
    "frozen": "A muted head writes nothing, and every head keeps the attention it had: what the head wrote is missed,\n"
    "and nothing else moves (Olsson et al. 2022, pattern-preserving ablation)",
}
_MUTED: Final[dict[Muting, str]] = {
    "zero": "were silent",
    "uniform": "looked at all tokens alike",
    "frozen": "were silent and all attention as before",
}
_MOST_HEADS: Final = 4


def what_if_line(run: Run) -> str | None:
    """What differs from the trained model, and how much of the output's direction is left; None where nothing differs."""
    trace = run.trace
    if not trace.is_what_if:
        return None
    kept = f"output vectors now have a cosine of {cosine_text(run)} to the trained ones."
    changed = changes_phrase(trace)
    if not trace.has_other_heads:
        return f"What if {changed}? The {kept}"
    heads = f"What if this model had {count_of(trace.head_count, 'head')}{f' and {changed}' if changed else ''}?"
    return f"{heads} It was trained with {trace.config.n_head}; its {kept}"


def cosine_text(run: Run) -> str:
    """The cosine to the trained run, with as many digits as tell it from 1: one head of many turns the output little."""
    value = run.cosine_to_trained
    digits = next((n for n in range(3 if run.trace.changes else 2, 6) if round(value, n) < 1.0), None)
    if digits is None:
        return "1" if value >= 1.0 else "over 0.99999"
    return f"{value:.{digits}f}"


def changes_phrase(trace: Trace) -> str:
    """What a person has changed of a run: "L3.H1 were silent and L2.H4 wrote 0.50 times as much"; "" for nothing."""
    changes, parts = trace.changes, []
    if changes.muted:
        parts.append(f"{_listed(trace, sorted(changes.muted))} {_MUTED[changes.muting]}")
    by_strength: dict[float, list[HeadAt]] = {}
    for at, strength in changes.strengths:
        by_strength.setdefault(strength, []).append(at)
    parts += [f"{_listed(trace, heads)} wrote {strength:.2f} times as much" for strength, heads in by_strength.items()]
    weights = [weight_phrase(trace, at, weight) for at, weight in changes.weights]
    if len(weights) > _MOST_HEADS:
        parts.append(f"{len(weights)} weights were set by hand")
    else:
        parts += weights
    return _joined(parts)


def change_lines(trace: Trace, changes: Changes) -> list[tuple[HeadAt | WeightAt, str]]:
    """Each single change with what it is in a few words, for a list of them."""
    lines: list[tuple[HeadAt | WeightAt, str]] = [(at, f"{place_name(trace, at)} muted") for at in sorted(changes.muted)]
    lines += [(at, f"{place_name(trace, at)} \N{MULTIPLICATION SIGN} {value:.2f}") for at, value in changes.strengths]
    for at, value in changes.weights:
        lines.append((at, f"{place_name(trace, at)} {_pair(trace, at)} {value:.2f}"))
    return lines


def weight_phrase(trace: Trace, at: WeightAt, weight: float) -> str:
    """ "it looked at animal with 0.10 in L3.H1"."""
    query, key = (f"\N{LEFT DOUBLE QUOTATION MARK}{text}\N{RIGHT DOUBLE QUOTATION MARK}" for text in _texts(trace, at))
    return f"{query} looked at {key} with {weight:.2f} in {place_name(trace, at)}"


def place_name(trace: Trace, at: HeadAt | WeightAt) -> str:
    """ "L3.H1", with the kind of attention where the model has several."""
    kind = f"{at.kind} " if len(trace.kinds) > 1 else ""
    return f"{kind}L{at.layer}.H{at.head}"


def _listed(trace: Trace, heads: Sequence[HeadAt]) -> str:
    names = [place_name(trace, at) for at in heads]
    if len(names) > _MOST_HEADS:
        return f"{', '.join(names[: _MOST_HEADS - 1])} and {len(names) - _MOST_HEADS + 1} more"
    return _joined(names)


def _joined(parts: Sequence[str]) -> str:
    """ "one", "one and two", "one, two and three"."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1]))) if parts else ""


def _pair(trace: Trace, at: WeightAt) -> str:
    return " \N{RIGHTWARDS ARROW} ".join(_texts(trace, at))


def _texts(trace: Trace, at: WeightAt) -> tuple[str, str]:
    queries, keys = trace.queries(at.kind), trace.keys(at.kind)
    return tuple(side[place].shown if place < len(side) else "?" for side, place in ((queries, at.query), (keys, at.key)))
