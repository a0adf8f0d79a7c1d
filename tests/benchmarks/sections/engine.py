"""Engine: one pass with all attention of all layers, as the program runs it, against transformers (eager) on the same threads.

attnviz's time is that of `Model.trace` and of the attention of each layer, and so has the text's tokens made; the peer is given
their numbers. The pass's own products are NumPy's, at the same shapes, with BLAS on all threads and nothing between them. The same
passes are measured once more while other programs keep every processor busy: threads that wait for each other by turning round
then wait for a processor that somebody else has.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.engine.model import load_model
from attnviz.session.run import Runner
from tests.benchmarks.models import gpt2, llama, text_of
from tests.benchmarks.products import LARGE, Product, flops_of, product_milliseconds, products_of
from tests.benchmarks.rows import Row, row, spread
from tests.benchmarks.timing import PASSES, alternate, passes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from attnviz.engine.model import Model
    from tests.benchmarks.bench import Bench

TITLE: Final = "Engine: one pass with all attention"
BESIDE: Final = "transformers"
LENGTHS: Final = (16, 32, 64, 128, 256, 500)
BUSY: Final = (16, 128, 500)  # of these lengths also beside other programs
_BUSY_ROUNDS: Final = 4  # a pass of the peer may take seconds there


def measure(bench: Bench) -> list[Row]:
    """The rows of each model at each length."""
    Runner()  # sets the threads as the program does
    models = {
        "all-MiniLM-L6-v2": bench.model(),
        "LLaMA's plan, 8 x 512": llama(8, 512).write(bench.folder / "llama"),
        "GPT-2's plan, 8 x 512": gpt2(8, 512).write(bench.folder / "gpt2"),
    }
    lengths = bench.lengths or LENGTHS
    rows = [one for name, path in models.items() for one in measure_model(bench, name, path, lengths)]
    name, path = next(iter(models.items()))
    with busy_programs():
        return rows + [_busy_row(bench, name, load_model(path), n) for n in lengths if n in BUSY]


def measure_model(bench: Bench, name: str, path: Path, lengths: tuple[int, ...]) -> list[Row]:
    """The rows of one model: its times, its shares of what the products reach, and whether the peer's attention is the same."""
    model = load_model(path)
    rows = []
    for n in lengths:
        rows += _rows_of(bench, name, model, n)
    if bench.peer is not None:
        rows.append(row("engine", f"{name}, difference of attention", "difference", [_difference(bench, model, max(lengths))]))
    return rows


@contextmanager
def busy_programs() -> Iterator[None]:
    """As many other programs as there are processors, each of which uses one without end."""
    programs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for program in programs:
            program.kill()
            program.wait()


def _busy_row(bench: Bench, name: str, model: Model, n: int) -> Row:
    text = text_of(model, n)
    ids, peer = model.trace(text).ids, bench.peer
    turns = {"own": lambda: passes(lambda: pass_of(model, text))}
    if peer is not None:
        turns["peer"] = lambda: peer.passes(model.path, ids, PASSES)
    times = alternate(turns, min(bench.rounds, _BUSY_ROUNDS))
    what = f"{name}: {n} tokens, each processor busy with another program"
    return row("engine", what, "ms", times["own"], times.get("peer"), in_page=True)


def pass_of(model: Model, text: str) -> None:
    """A run of a text and the attention of each of its layers."""
    trace = model.trace(text)
    for layer in range(trace.n_layer):
        trace.attention(layer)


def _rows_of(bench: Bench, name: str, model: Model, n: int) -> list[Row]:
    text = text_of(model, n)
    ids, peer = model.trace(text).ids, bench.peer
    products = products_of(model.config.stack, n, model.config.is_gated)
    large = Product(1, LARGE, LARGE, LARGE)
    turns = {"own": lambda: passes(lambda: pass_of(model, text))}
    if peer is not None:
        turns["peer"] = lambda: peer.passes(model.path, ids, PASSES)
    turns["products"] = lambda: product_milliseconds(products)
    turns["large"] = lambda: product_milliseconds([large])
    times = alternate(turns, bench.rounds)
    flops = flops_of(products)

    def share(who: str, most: list[float]) -> list[float]:
        """Percent of a rate of operations, round by round."""
        return [100 * flops / time / rate for time, rate in zip(times.get(who, ()), most, strict=False)]

    rate = [large.flops / time for time in times["large"]]
    alone = [flops / time for time in times["products"]]
    in_page = n in (16, 128, 500)
    return [
        row("engine", f"{name}: {n} tokens", "ms", times["own"], times.get("peer"), in_page),
        _share_row(f"{name}: {n} tokens, share of a large product's rate", share("own", rate), share("peer", rate), n == 500),
        _share_row(f"{name}: {n} tokens, share of its own products' rate", share("own", alone), share("peer", alone), False),
    ]


def _share_row(what: str, own: list[float], peer: list[float], in_page: bool) -> Row:
    """Without a ratio, which would be that of the times the other way up."""
    return Row("engine", what, "%", spread(own), spread(peer) if peer else None, in_page=in_page)


def _difference(bench: Bench, model: Model, n: int) -> float:
    """The largest difference of any attention weight to the peer's."""
    trace = model.trace(text_of(model, n))
    theirs = bench.peer.attention(model.path, trace.ids, bench.folder / "attention.npy")
    return max(float(np.abs(trace.attention(layer) - theirs[layer]).max()) for layer in range(trace.n_layer))
