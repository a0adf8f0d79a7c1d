"""Length: time and memory of a text as it grows, each length in a fresh process.

The exponent of a figure is e where it grows as the length to the power of e; beside it stands that of the operations of the matrix
products: 1 where the projections are all of it, 2 where attention is.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.benchmarks.fresh import forget_peak, fresh, held
from tests.benchmarks.growth import exponent, exponents
from tests.benchmarks.models import llama, text_of
from tests.benchmarks.peers.once import peak
from tests.benchmarks.products import flops_of, products_of
from tests.benchmarks.rows import Row, row, spread
from tests.benchmarks.timing import milliseconds

if TYPE_CHECKING:
    from tests.benchmarks.bench import Bench

TITLE: Final = "Length: a decoder of LLaMA's plan, 8 layers of width 256, 8 heads"
BESIDE: Final = "the operations"
LENGTHS: Final = (256, 512, 1_024, 2_048, 4_096)
SHOWN: Final = (256, 1_024, 4_096)
_MIB: Final = 1 << 20


def measure(bench: Bench) -> list[Row]:
    """Time, memory and bytes of each number of each length, and how they grow."""
    lengths = bench.lengths or LENGTHS
    return measure_lengths(llama(8, 256, max(lengths)).write(bench.folder / "long"), bench.rounds, lengths)


def measure_lengths(path: Path, rounds: int, lengths: tuple[int, ...]) -> list[Row]:
    """The rows of the model at `path`; two runs of each length at least are timed."""
    figures = [fresh(read, str(path), n, min(max(rounds, 2), 5)) for n in lengths]
    rows: list[Row] = []
    for n, figure in zip(lengths, figures, strict=True):
        rows.append(row("length", f"{n:,} tokens, time", "ms", figure["ms"], in_page=n in SHOWN))
        rows.append(row("length", f"{n:,} tokens, memory beside the model", "MiB", [figure["bytes"] / _MIB], in_page=n in SHOWN))
        per_number = figure["bytes"] / figure["numbers"]
        rows.append(row("length", f"{n:,} tokens, bytes per layer, token and width", "bytes", [per_number]))
    times, memory, flops = ([min(one["ms"]) for one in figures], *([one[key] for one in figures] for key in ("bytes", "flops")))
    if len(lengths) == 1:
        return rows
    steps = zip(lengths, lengths[1:], exponents(lengths, times), exponents(lengths, flops), strict=False)
    for start, end, own, products in steps:
        rows.append(_exponent_row(f"exponent of time, {start:,} to {end:,} tokens", own, products))
    rows.append(_exponent_row("exponent of time, the longest three", exponent(lengths, times), exponent(lengths, flops), True))
    rows.append(_exponent_row("exponent of memory, the longest three", exponent(lengths, memory)))
    return rows


def read(path: str, n_token: int, rounds: int) -> dict[str, object]:
    """In this process, whose model has run a short text: milliseconds of each run of a longer one, the bytes that the first holds
    at the most beside what was there, how many numbers the vectors of all layers are, and the operations of the products."""
    from attnviz.engine.model import load_model
    from attnviz.session.run import Runner

    Runner()  # sets the threads as the program does
    model = load_model(Path(path))
    text = text_of(model, n_token)
    model.trace(text_of(model, 16))
    before = held()
    forget_peak()
    model.trace(text)
    taken = max(peak() - before, 1)
    stack = model.config.stack
    return {
        "bytes": taken,
        "ms": [milliseconds(lambda: model.trace(text)) for _ in range(rounds)],
        "numbers": stack.n_layer * n_token * stack.d_model,
        "flops": flops_of(products_of(stack, n_token, model.config.is_gated)),
    }


def _exponent_row(what: str, own: float, products: float | None = None, in_page: bool = False) -> Row:
    return Row("length", what, "exponent", spread([own]), None if products is None else spread([products]), in_page=in_page)
