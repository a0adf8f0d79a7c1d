"""A session file that is being opened: read, and its models found, before anything is shown of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from attnviz.session.saved import Saved, located, read_session, read_with
from attnviz.session.settings import load_settings
from attnviz.session.state import asking

if TYPE_CHECKING:
    from pathlib import Path

    from attnviz.session.state import Wish


@dataclass(frozen=True)
class Opening:
    """path: the session file, None for what nobody had saved; wish: what to show; held: what the file holds, None where that is not
    known; sha256: of the weights that it was saved with, None where they are others or not known."""

    path: Path | None
    wish: Wish
    held: Wish | None
    sha256: str | None


def read_opening(path: Path, model: Path | None = None, text: str | None = None) -> Opening:
    """What is to be shown of a session file, with another model or text where one is given.

    Raises InputError for a file that is no session, ModelError for a model that is not on this machine.
    """
    saved = read_session(path)
    given = saved if model is None else read_with(saved, model)
    held = located(given, load_settings().recent)
    wish = held if text is None else asking(held, text=text)
    if given.model != saved.model:
        return Opening(path, wish, saved.wish, None)
    return Opening(path, wish, held, None if saved.model is None else saved.model.sha256)


def recovered(saved: Saved) -> Opening:
    """The same for what a window left behind. Raises ModelError for a model that is not on this machine."""
    return Opening(saved.file, located(saved, load_settings().recent), None, None)
