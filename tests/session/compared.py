"""Runs that are compared, made without a runner."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tests.scene.pictures import run_of

if TYPE_CHECKING:
    from attnviz.engine.model import Model
    from attnviz.session.run import Run

TIRED: Final = "The animal didn't cross the street because it was tired."
WIDE: Final = "The animal didn't cross the street because it was too wide."
BOY: Final = "The boy who studied hard passed the exam."


def against(run: Run, other: Run) -> Run:
    """A run that is compared with another."""
    return replace(run, against=other, request=replace(run.request, against=other.request.alone()))


def two_texts(model: Model, text: str, other: str) -> Run:
    """The run of one text, compared with that of another."""
    return against(run_of(model, text), run_of(model, other))


def one_head(model: Model, text: str = BOY) -> Run:
    """A run with one head, compared with the model as it was trained."""
    return against(run_of(model, text, 1), run_of(model, text))
