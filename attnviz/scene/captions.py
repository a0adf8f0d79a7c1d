"""What stands above every picture: its caption, and the strips that say what nobody may overlook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attnviz.scene.compare.differences import alone_note
from attnviz.scene.shares import quantity_warning
from attnviz.scene.what_if import what_if_line
from attnviz.scene.words import beyond_trained_line, heads_phrase, kind_phrase, left_out_line
from attnviz.session.sight import heads_of

if TYPE_CHECKING:
    from attnviz.session.run import Run
    from attnviz.session.sight import Sight
    from attnviz.session.view import View


def caption_of(run: Run, view: View, sight: Sight) -> str:
    """Model, layer and heads in one line."""
    count = run.trace.head_count_of(sight.kind)
    heads = heads_phrase(heads_of(run.trace, view), count)
    if view.is_mean or sight.quantity == "rollout":
        heads = f"mean of {heads}"
    units = ", whole words" if sight.units.are_words else ""
    return f"{run.model.name}, {kind_phrase(run.trace, sight)}layer {view.layer}, {heads}, both counted from 0{units}"


def warnings_of(run: Run, view: View, sight: Sight) -> list[tuple[str | None, str]]:
    """What a picture's tinted strips say, each with its kind; None for those that have nothing to say."""
    return [
        (what_if_line(run), "what_if"),
        (left_out_line(run), "warning"),
        (beyond_trained_line(run), "warning"),
        (quantity_warning(sight, view), "warning"),
        (alone_note(run) if view.picture in ("grid", "steps") else None, "what_if"),
    ]
