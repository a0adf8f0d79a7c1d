"""The run that a command's options describe: a text, the heads that are changed, what the model writes."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from attnviz.errors import InputError

if TYPE_CHECKING:
    import argparse

    from attnviz.engine.changes import Changes, HeadAt
    from attnviz.engine.config import Kind
    from attnviz.engine.tokenizer import Token
    from attnviz.session.request import Request
    from attnviz.session.run import Run, Runner

_NUMBER: Final = r"(?:\d+\.?\d*|\.\d+)(?:e-\d+)?"
_HEAD: Final = re.compile(r"(?:(encoder|decoder|cross):)?L(\d{1,4})\.H(\d{1,4})")
_STRENGTH: Final = re.compile(rf"({_HEAD.pattern})=({_NUMBER})")
_WEIGHT: Final = re.compile(rf"({_HEAD.pattern}):(.+)>(.+)=({_NUMBER})", re.DOTALL)


def run_of(options: argparse.Namespace) -> Run:
    """Run what the options describe, and say on stderr what of the text was left out. Raises InputError, ModelError."""
    from attnviz.session.run import Runner

    run = run_request(Runner(), options)
    say_what_is_left_out(run)
    return run


def run_request(runner: Runner, options: argparse.Namespace) -> Run:
    """The same by a runner that may run something else besides."""
    from attnviz.session.request import Writing

    run = runner.run(plain_request(options))
    request = replace(run.request, changes=changes_of(options, run), written=_written(options))
    if request != run.request:
        run = runner.run(request)
    if not 0.0 <= options.temperature <= 100.0:
        raise InputError(
            f"--temperature {options.temperature:g}: choose 0 for the likeliest tokens, 1 for the model's own, or between."
        )
    for _ in range(options.write):
        run = runner.run(replace(run.request, writing=Writing(options.temperature, options.seed)))
        if run.has_ended:
            break
    return run


def plain_request(options: argparse.Namespace) -> Request:
    """The text with the model and the head count that the options name. Raises ModelError for a model that is not there."""
    from attnviz.library.discovery import resolve_model
    from attnviz.session.request import Request
    from attnviz.session.settings import load_settings

    path = resolve_model(options.model, load_settings().recent)
    return Request(path, options.text, options.pair, options.head_count)


def say_what_is_left_out(run: Run) -> None:
    """Say on stderr how much of the text the model could not read, or was not made for."""
    from attnviz.scene.words import beyond_trained_line, left_out_line

    for line in (left_out_line(run), beyond_trained_line(run)):
        if line is not None:
            print(f"attnviz: {line}", file=sys.stderr)


def say_what_if(run: Run) -> None:
    """Say on stderr what differs from the trained model."""
    if run.trace.is_what_if:
        from attnviz.scene.what_if import what_if_line

        print(f"attnviz: {what_if_line(run)}", file=sys.stderr)


def changes_of(options: argparse.Namespace, run: Run) -> Changes:
    """What the options change of a run's heads. Raises InputError for what is not written as it should be, or is not there."""
    from attnviz.engine.changes import NOTHING, WeightAt

    changes = NOTHING.with_muting(options.muting)
    for text in _parts(options.mute):
        match = _HEAD.fullmatch(text)
        if match is None:
            raise InputError(f'--mute "{text}": write heads as L3.H1, several with commas between them.')
        changes = changes.with_muted(_head(match.groups(), options, run), True)
    for text in _parts(options.strength):
        match = _STRENGTH.fullmatch(text)
        if match is None:
            raise InputError(f'--strength "{text}": write L3.H1=0.5, several with commas between them; 1 is as trained.')
        changes = changes.with_strength(_head(match.groups()[1:4], options, run), float(match[5]))
    for text in options.weight or ():
        match = _WEIGHT.fullmatch(text)
        if match is None:
            raise InputError(f'--weight "{text}": write L3.H1:it>animal=0.1, with #10>#2 for tokens by their positions.')
        head = _head(match.groups()[1:4], options, run)
        query = _place(match[5], run.trace.queries(head.kind))
        key = _place(match[6], run.trace.keys(head.kind))
        changes = changes.with_weight(WeightAt(*head, query, key), float(match[7]))
    return changes.effective()


def _parts(texts: list[str] | None) -> list[str]:
    return [part.strip() for text in texts or () for part in text.split(",") if part.strip()]


def _head(found: tuple[str | None, ...], options: argparse.Namespace, run: Run) -> HeadAt:
    from attnviz.engine.changes import HeadAt

    kind: Kind = found[0] or options.attention or run.trace.kinds[0]
    return HeadAt(kind, int(found[1]), int(found[2]))


def _place(wanted: str, tokens: tuple[Token, ...]) -> int:
    """The position of a token given by its text, as shown or as spelled, or by # and its number."""
    if wanted.startswith("#") and wanted[1:].isdecimal():
        return int(wanted[1:])
    for place, token in enumerate(tokens):
        if wanted in (token.shown, token.text):
            return place
    raise InputError(f'There is no token "{wanted}"; the tokens are: {" ".join(token.text for token in tokens[:40])}')


def _written(options: argparse.Namespace) -> tuple[int, ...]:
    """The numbers of tokens that stand behind the text."""
    numbers = [part.strip() for part in (options.written or "").split(",") if part.strip()]
    wrong = next((part for part in numbers if not part.isdecimal() or len(part) > 9), None)
    if wrong is not None:
        raise InputError(f'--written "{wrong}": write the numbers of tokens with commas between them, such as 464,3797.')
    return tuple(map(int, numbers))
