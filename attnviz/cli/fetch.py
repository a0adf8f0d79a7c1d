"""The verbs that get models and list those that are there."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from attnviz.cli.progress import ProgressLine
from attnviz.errors import InputError

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from attnviz.library.progress import Progress


def get(options: argparse.Namespace) -> int:
    from attnviz.library.get import get_minilm
    from attnviz.library.minilm import MINILM

    line = _FetchLine()
    try:
        if options.name.casefold() != MINILM.name:
            path = _get_from_hub(options.name, options.variant, line)
        elif options.variant is not None:
            raise InputError(f"{MINILM.name} comes in one form; leave out --variant.")
        else:
            path = get_minilm(line.show_bytes)
    finally:
        line.leave()
    print(path)
    return 0


def models(options: argparse.Namespace) -> int:
    from attnviz.library.closed import CLOSED_MODELS
    from attnviz.library.discovery import find_models
    from attnviz.library.listing import model_lines
    from attnviz.session.settings import load_settings

    del options
    models = find_models(load_settings().recent)
    for line in model_lines(models, in_colour=sys.stdout.isatty() and not os.environ.get("NO_COLOR")):
        print(line)
    if not models:
        print("No models on this machine yet; get the default one with: attnviz get minilm")
    print(CLOSED_MODELS)
    return 0


def _get_from_hub(name: str, variant: str | None, line: _FetchLine) -> Path:
    from attnviz.library.listing import offer_lines
    from attnviz.library.repository import fetch, look_up

    offer = look_up(name)
    for words in offer_lines(offer, offer.choice(variant)):
        print(words, file=sys.stderr)
    return fetch(offer, line.show_bytes, variant=variant)


class _FetchLine(ProgressLine):
    """What is being fetched, and how much of it has come; on a terminal alone the bytes are counted."""

    def show_bytes(self, progress: Progress) -> None:
        from attnviz.library.sizes import file_size

        amount = ""
        if progress.done and self.is_live:
            total = f" of {file_size(progress.total)}" if progress.total else ""
            amount = f": {file_size(progress.done)}{total}"
        self.show(progress.what + amount)
