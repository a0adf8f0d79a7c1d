"""Typing: one character more at the end of a text, which takes over what an earlier run has, against running the text anew.

"the engine" is `Model.trace` with the earlier run as `like`; "the program" is a request as the window makes one, which looks for an
earlier run by itself. All of them have the attention of one layer made, which a picture shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attnviz.engine.model import load_model
from attnviz.session.request import Request
from attnviz.session.run import Runner
from tests.benchmarks.models import WORDS, llama, text_of
from tests.benchmarks.rows import Row, row
from tests.benchmarks.timing import alternate, milliseconds, passes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from attnviz.engine.model import Model
    from attnviz.engine.trace import Trace
    from tests.benchmarks.bench import Bench

TITLE: Final = "Typing: one character more at the end of a text of a causal model"
BESIDE: Final = "the text anew"
N_TOKEN: Final = 200


def measure(bench: Bench) -> list[Row]:
    """The rows of a decoder of LLaMA's plan."""
    Runner()  # sets the threads as the program does
    path = llama(8, 512).write(bench.folder / "llama-typing")
    return [one for n in bench.lengths or (N_TOKEN,) for one in measure_model(bench, path, n)]


def measure_model(bench: Bench, path: Path, n_token: int) -> list[Row]:
    """Each way of going on with a text of so many tokens, by the engine and by the program."""
    model = load_model(path)
    cases = {"a token is added": added(model, n_token), "the last token changes": changed(model, n_token)}
    rows = []
    for name, (text, longer) in cases.items():
        for who, turn in {"the engine": _engine, "the program": _program}.items():
            times = alternate(
                {"on": turn(model, text, longer), "anew": lambda longer=longer: passes(lambda: _show(model.trace(longer)))},
                bench.rounds,
            )
            rows.append(row("typing", f"{n_token} tokens, {who}: {name}", "ms", times["on"], times["anew"], in_page=True))
    return rows


def _engine(model: Model, text: str, longer: str) -> Callable[[], list[float]]:
    earlier = model.trace(text)

    def go_on() -> None:
        _show(model.trace(longer, like=earlier))

    return lambda: passes(go_on)


def _program(model: Model, text: str, longer: str) -> Callable[[], list[float]]:
    """A runner remembers what it has run, so each turn has its own one; opening the model is not timed."""

    def turn() -> list[float]:
        runner = Runner()
        runner.run(Request(model.path, text, None, model.config.n_head))

        def go_on() -> None:
            _show(runner.run(Request(model.path, longer, None, model.config.n_head)).trace)

        return [milliseconds(go_on)]

    return turn


def _show(trace: Trace) -> None:
    """What a picture of a layer in the middle asks for."""
    trace.attention(trace.n_layer // 2)


def added(model: Model, n_token: int) -> tuple[str, str]:
    """A text of so many tokens and the same with a character more, which is a token of its own."""
    return _pair(model, n_token, lambda before, after: len(after) == len(before) + 1 and after[:-1] == before)


def changed(model: Model, n_token: int) -> tuple[str, str]:
    """A text of so many tokens and the same with a character more, which makes another token of the last one."""
    return _pair(model, n_token, lambda before, after: after[: len(before) - 1] == before[:-1] and after[: len(before)] != before)


def _pair(model: Model, n_token: int, fits: Callable[[list[int], list[int]], bool]) -> tuple[str, str]:
    """The first two texts of which the second has a character more, with tokens that fit. Raises ValueError for none."""
    start = text_of(model, n_token - 3)
    for ending in ("", *sorted(set(WORDS))):
        for more in ("", "a", "b", "to", "an"):
            text = " ".join(filter(None, (start, ending, more)))
            before = _ids(model, text)
            if len(before) != n_token:
                continue
            for character in ".,!?abcdefghijklmnopqrstuvwxyz0123456789":
                if fits(before, _ids(model, text + character)):
                    return text, text + character
    raise ValueError(f"no such texts of {n_token} tokens for {model.path}")


def _ids(model: Model, text: str) -> list[int]:
    return model.tokenizer.encode(text, None, 1 << 20).ids.tolist()
