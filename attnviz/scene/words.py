"""The sentences on every picture: what is shown, what could not be read, what is a what-if."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attnviz.session.weights import MEAN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from attnviz.engine.trace import Trace
    from attnviz.scene.scene import Measure
    from attnviz.session.run import Run
    from attnviz.session.sight import Sight

_ONE_ROW_LEGEND = "arcs above look back, below look ahead; a loop looks at itself"
_MANY_ROWS_LEGEND = "arcs over a row look back, under it ahead; between rows, point at a token to see which way"
_MANY_ROWS_ON_PAPER = "arcs over a row look back, under it ahead; between rows both ways look alike"
_CAUSAL_LEGEND = "all arcs look back: a token of this model sees what is before it, and itself"
_CROSS_LEGEND = "each token of the decoder, below, looks at the encoder's tokens, above"
_KINDS = {"encoder": "encoder, ", "decoder": "decoder, ", "cross": "decoder looking at encoder, "}


def facts_line(run: Run) -> str:
    """What a run was: its tokens, how long it took, the model and its size."""
    config, decoding = run.model.config, run.trace.decoder_encoding
    tokens, layers = count_of(len(run.trace.tokens), "token"), count_of(config.n_layer, "layer")
    if decoding is not None and config.decoder is not None:
        tokens = f"{len(run.trace.tokens):,} encoder and {count_of(len(decoding.tokens), 'decoder token')}"
        layers = f"{config.n_layer} encoder and {count_of(config.decoder.n_layer, 'decoder layer')}"
    took = f"{run.milliseconds:.0f} ms" if run.milliseconds else "computed before"
    facts = (tokens, took, run.model.name, f"{layers} of {config.n_head} heads, counted from 0")
    return (5 * " ").join(facts)


def direction_legend(sight: Sight, n_row: int, on_paper: bool) -> str:
    """How to tell an arc's query from its key, in a picture of so many rows; on paper nobody can point at anything."""
    if sight.kind == "cross":
        return _CROSS_LEGEND
    if sight.is_causal:
        return _CAUSAL_LEGEND
    if n_row == 1:
        return _ONE_ROW_LEGEND
    return _MANY_ROWS_ON_PAPER if on_paper else _MANY_ROWS_LEGEND


def kind_phrase(trace: Trace, sight: Sight) -> str:
    """Which attention of an encoder-decoder it is, with a comma; nothing for a model that has one only."""
    return _KINDS[sight.kind] if len(trace.kinds) > 1 else ""


def left_out_line(run: Run) -> str | None:
    """How much of the text the model could not read; None if it read it all."""
    sides = (("text", run.trace.encoding), ("decoder's text", run.trace.decoder_encoding))
    cut = [
        f"the last {count_of(side.left_out, 'token')} of the {name} {'is' if side.left_out == 1 else 'are'} left out"
        for name, side in sides
        if side is not None and side.left_out
    ]
    longest = max(len(side.tokens) for _, side in sides if side is not None)
    return f"{run.model.name} reads {longest:,} tokens at most: {' and '.join(cut)}." if cut else None


def beyond_trained_line(run: Run) -> str | None:
    """That the text is longer than those the model was made for; None if it is not."""
    parts = [part for part in (run.trace.encoding, run.trace.decoder_encoding) if part is not None]
    longest, made_for = max(len(part.tokens) for part in parts), run.model.config.n_trained
    if longest <= made_for:
        return None
    return (
        f"This text has {longest:,} tokens and {run.model.name} was made for {made_for:,} at most: "
        "it runs, but may read what lies beyond badly."
    )


def heads_phrase(heads: Iterable[int], head_count: int) -> str:
    """Which heads are shown: "head 1 of 12", "heads 0-3, 7 of 12", "all 12 heads"."""
    shown = sorted(heads)
    if not shown:
        return "no heads"
    if len(shown) == head_count:
        return "the only head" if head_count == 1 else f"all {head_count} heads"
    runs: list[list[int]] = []
    for head in shown:
        if runs and head == runs[-1][-1] + 1:
            runs[-1].append(head)
        else:
            runs.append([head])
    listed = ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}\N{EN DASH}{run[-1]}" for run in runs)
    return f"head{'s' if len(shown) > 1 else ''} {listed} of {head_count}"


def head_name(head: int) -> str:
    """ "H3"; "mean" for a map of several heads together."""
    return "mean" if head == MEAN else f"H{head}"


def count_of(n: int, noun: str) -> str:
    """ "1 token", "1,200 tokens"."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def shortened(text: str, most: int) -> str:
    """The text on one line, its end cut off beyond `most` characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "\N{HORIZONTAL ELLIPSIS}"


def wrap(text: str, size: int, width: float, measure: Measure) -> list[str]:
    """The text in lines at most `width` wide, broken at spaces, and inside a word where it is wider than a line."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if lines[-1] and measure(longer, size, False) > width:
            lines.append(word)
        else:
            lines[-1] = longer
        while len(lines[-1]) > 1 and measure(lines[-1], size, False) > width:
            fits = next(n for n in range(len(lines[-1]) - 1, 0, -1) if n == 1 or measure(lines[-1][:n], size, False) <= width)
            lines[-1:] = [lines[-1][:fits], lines[-1][fits:]]
    return lines
