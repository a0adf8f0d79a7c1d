"""What is done with session files off the GUI thread: reading and writing them, and the weights that they were saved with."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from attnviz.engine.folder import model_name
from attnviz.errors import AttnvizError, Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from attnviz.engine.model import Model
    from attnviz.session.opening import Opening
    from attnviz.session.saved import Saved
    from attnviz.session.state import Wish


class ReadSession(NamedTuple):
    """What came of reading a session: what to show of it, or why it cannot be. is_lost: it was not saved, but kept."""

    opening: Opening | None
    sentence: str = ""
    gone: Path | None = None
    is_lost: bool = False


class WrittenSession(NamedTuple):
    """A wish that is in a file now. before: the file that was open when the saving began."""

    path: Path
    wish: Wish
    before: Path | None


def read_file(path: Path) -> ReadSession:
    """What is to be shown of a session file."""
    from attnviz.session.opening import read_opening

    try:
        return ReadSession(read_opening(path))
    except AttnvizError as error:
        return ReadSession(None, str(error), None if path.exists() else path)


def read_lost(saved: Saved) -> ReadSession:
    """What is to be shown of what was kept. Raises ModelError for a model that is not on this machine."""
    from attnviz.session.opening import recovered

    return ReadSession(recovered(saved), is_lost=True)


def write_file(path: Path, wish: Wish, before: Path | None, model: Model | None, cancelled: Callable[[], bool]) -> WrittenSession:
    """Save a session: at once, and again with the sum of the weights, for which a large model is read a while."""
    from attnviz.session.saved import SavedModel, save_session

    assert wish.model is not None
    mark = SavedModel(model_name(wish.model) if model is None else model.name)
    save_session(path, wish, mark)
    sha256 = None if model is None else _sum_of(model, cancelled)
    if sha256 is not None:
        save_session(path, wish, replace(mark, sha256=sha256))
    return WrittenSession(path, wish, before)


def compare_weights(model: Model, sha256: str, cancelled: Callable[[], bool]) -> str | None:
    """What there is to say of a model's weights, if they are not those with that sum."""
    if _sum_of(model, cancelled) in (None, sha256):
        return None
    return f"{model.name} has other weights here than when this session was saved; its numbers may differ."


def _sum_of(model: Model, cancelled: Callable[[], bool]) -> str | None:
    """The SHA-256 of a model's weights; None if the window closes meanwhile, or if the files are no longer there."""
    try:
        return model.read_sum(cancelled)
    except (AttnvizError, Cancelled):
        return None
