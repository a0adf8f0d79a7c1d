"""The lines at the foot of a picture: where all of the weight went, and what kind of weight it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attnviz.scene.words import count_of
from attnviz.session.view import BETWEEN_NAMES
from attnviz.session.weights import MEAN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from attnviz.analysis.edges import Edges, Spread, Threshold
    from attnviz.session.sight import Sight
    from attnviz.session.view import Quantity, View

_WHOLE: Final[dict[Quantity, str]] = {
    "attention": "the attention",
    "norms": "the norms",
    "rollout": "the rollout",
}
_TREATED: Final = {"hide": "hidden", "dim": "dimmed", "renormalise": "taken out"}
_MOST_NAMES = 6


def shares_line(sight: Sight, edges: Edges | None = None) -> str:
    """Where all of the weight went, in parts that make 100 %: taken out, left out, drawn, below the threshold.

    edges: those that are drawn, None where all that is left is shown. What is renormalised or dimmed is told apart from the rest,
    which then makes 100 % by itself, less rows with nothing left.
    """
    if not (sight.queries and sight.keys and sight.heads):
        return "nothing is drawn: no head or no token is shown"
    parts = [part for part in (_sinks_part(sight),) if part is not None]
    is_scaled = sight.sinks.treatment == "renormalise"
    whole = 100 - (round(100 * sight.shares.sinks) if sight.sinks.treatment == "hide" else 0)
    for share, what in (
        (sight.shares.learned, "the model's own sink"),
        (sight.shares.apart, f"not {BETWEEN_NAMES[sight.between].lower()}"),
    ):
        if share > 0:
            parts.append(f"{what}: {round(100 * share)} %")
            whole -= round(100 * share)
    if is_scaled:
        whole = round(100 * sight.shares.shown)
        if sight.shares.empty > 0:
            parts.append(f"rows with nothing left: {round(100 * sight.shares.empty)} %")
    dropped = 0 if edges is None else min(round(100 * edges.dropped_share), max(whole, 0))
    parts.append(f"{'shown' if edges is None else 'drawn'}: {max(whole - dropped, 0)} %")
    if edges is not None and (dropped or len(edges.weight) < edges.n_candidates):
        parts.append(f"not drawn: {dropped} %")
    return "  ·  ".join(parts)


def _sinks_part(sight: Sight) -> str | None:
    """What is done with sinks, and their share; None if nothing is."""
    names = _sink_names(sight)
    if not names or sight.sinks.treatment == "show":
        return None
    share = f"mean {round(100 * sight.shares.sinks)} % of {_WHOLE[sight.quantity]}"
    rest = ", the rest scaled to 100 %" if sight.sinks.treatment == "renormalise" else ""
    return f"{_TREATED[sight.sinks.treatment]}: {names}, {share}{rest}"


def _sink_names(sight: Sight) -> str:
    """The tokens whose attention is taken out or dimmed, each once."""
    texts = list(dict.fromkeys(sight.tokens[unit].shown for unit in sorted(sight.quiet) if sight.is_key(unit)))
    more = len(texts) - _MOST_NAMES
    return " ".join(texts[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def nothing_read_line(sight: Sight) -> str | None:
    """Why a picture of a decoder without a text is empty; None for any other."""
    if sight.kind == "encoder" or sight.queries:
        return None
    return "the decoder has read only its start token: give it a text, or show special tokens"


def drawn_line(edges: Edges, threshold: Threshold, sight: Sight) -> str:
    """How many arcs were drawn, and by which rule."""
    of_largest = "" if sight.quantity != "norms" else " of the largest"
    rule = (
        f"the strongest {100 * threshold.value:.0f} % of each token's visible {_WHOLE[sight.quantity].removeprefix('the ')}"
        if threshold.kind == "mass"
        else f"weights from {threshold.value:.2f}{of_largest}"
    )
    darkest = f"; the darkest is {edges.weight[-1]:.2f}" if MEAN in sight.heads and len(edges.weight) else ""
    return f"{drawn_phrase(edges, rule, sight)}{darkest}"


def drawn_phrase(edges: Edges, rule: str, sight: Sight) -> str:
    """How many arcs are drawn of a picture's, by a rule; and which, where more pass it than can be drawn."""
    drawn = f"{len(edges.weight):,} of {count_of(edges.n_candidates, 'arc')}"
    if edges.spread is None:
        return f"{drawn}: {rule}"
    limited = f"{drawn}, the most that are drawn at once, although {edges.n_passed:,} pass the threshold ({rule})"
    return f"{limited}: {chosen_phrase(edges)}, {groups_phrase([edges.spread], sight)}"


def chosen_phrase(edges: Edges) -> str:
    """Of how many arcs are drawn for being among the strongest, and how many others: "the 2,100 strongest and 600 more"."""
    assert edges.spread is not None
    return f"the {edges.spread.n_strongest:,} strongest and {len(edges.weight) - edges.spread.n_strongest:,} more"


def groups_phrase(spreads: Iterable[Spread], sight: Sight) -> str:
    """What the others are there for."""
    units = ("word" if sight.units.are_words else "token", "words" if sight.units.are_words else "tokens")
    sides = sorted({spread.side for spread in spreads})
    group = f"group of {' or '.join(map(str, sides))} neighbouring {units[1]}" if sides != [1] else units[0]
    aside = f", dimmed {units[1]} aside," if sight.dimmed else ""
    return f"so that{aside} the strongest from each {group} to each {group.partition(' of ')[0]} is among them"


def quantity_line(sight: Sight, tells_largest: bool = True) -> str | None:
    """What the weights are, where they are not the model's attention itself; tells_largest: and for norms the largest of them."""
    if sight.quantity == "norms":
        summed = ", of their sum over the heads" if sight.heads == (MEAN,) else ""
        what = f"norms of the weighted value vectors behind the output projection{summed} (Kobayashi et al. 2020)"
        return f"{what}; the largest is {sight.scale:.3g}" if tells_largest else what
    if sight.quantity == "rollout":
        layers = "layer 0" if sight.layer == 0 else f"layers 0 to {sight.layer}"
        whose = count_of(sight.n_head, "head")
        return f"rollout from the input through {layers}: half the mean of {whose}, half what was there (Abnar & Zuidema 2020)"
    return None


def quantity_phrase(quantity: Quantity) -> str:
    """What a picture is of: "attention", "value-weighted attention", "rollout"."""
    return {"attention": "attention", "norms": "value-weighted attention", "rollout": "rollout"}[quantity]


def quantity_warning(sight: Sight, view: View) -> str | None:
    """What one must know to read the quantity, or why another one is shown than was asked for."""
    if view.quantity == "rollout" and sight.quantity != "rollout":
        return "Rollout is defined for tokens that look at each other; this is the attention of the decoder to the encoder itself."
    if sight.quantity == "rollout" and sight.is_causal:
        return (
            "Rollout in a causal model favours the first tokens, for more positions can see them: compare tokens with those "
            "beside them, not with the first."
        )
    return None
