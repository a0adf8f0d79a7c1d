"""`python -m tests.benchmarks.roles`: how long it takes to measure what the heads of a model do, and how much memory.

In a process of its own, with numbers kept nowhere: opening the model, reading the corpus in packs, the same sentences one by one,
muting every head, scores with their intervals; then the same measured again from what was kept. With `--treebank FILE` also how
alike heads are ranked by the bundled corpus and by that treebank: Spearman's correlation over all heads, for each relation of both.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attnviz.probing.roles import HeadRoles

MIB = 1 << 20


def main() -> int:
    """Measure in a fresh process and print a row for each part."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.roles", description=__doc__)
    parser.add_argument("--model", type=Path, help="a model's folder or file (default: the default model)")
    parser.add_argument("--treebank", type=Path, help="a .conllu file to compare the ranking of the heads with")
    parser.add_argument("--json", metavar="FILE", type=Path, help="also write the figures as JSON")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    model = options.model or _default_model()
    if options.measure:
        print(json.dumps(measure(model)))
        return 0
    command = [sys.executable, "-m", "tests.benchmarks.roles", "--measure", "--model", str(model)]
    figures = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    for name, figure in figures.items():
        print(f"{name:<44}{figure:>10.2f}")
    if options.treebank is not None:
        figures["spearman"] = compare(model, options.treebank)
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0


def measure(path: Path) -> dict[str, float]:
    """Seconds of each part, and the most memory held, in MiB."""
    from attnviz.corpus.opening import bundled_corpus
    from attnviz.engine.blas import keep_to_one_thread
    from attnviz.engine.model import load_model
    from attnviz.probing.kept import Shelf
    from attnviz.probing.numbers import mute_heads, muted_texts, read_numbers
    from attnviz.probing.plan import plan_for
    from attnviz.probing.roles import measure_heads

    keep_to_one_thread()
    seconds: dict[str, float] = {}
    started = begun = perf_counter()

    def lap(name: str) -> None:
        nonlocal started
        seconds[name] = perf_counter() - started
        started = perf_counter()

    model = load_model(path)
    lap("open the model, s")
    plan = plan_for(model, bundled_corpus())
    lap("read the corpus and lay it over the tokens, s")
    opened = _peak()
    read_numbers(model, plan, Shelf(None))
    lap("read all sentences in packs, s")
    texts = muted_texts(model, plan)
    mute_heads(model, plan, texts, Shelf(None))
    lap(f"mute each head in {len(texts)} sentences, s")
    for text in plan.texts:
        model.read_packed([text.encoding], lambda text, layer, attention: None)
    lap("the model alone, sentence by sentence, s")
    for pack in plan.packs:
        model.read_packed([plan.texts[at].encoding for at in pack], lambda text, layer, attention: None)
    lap("the model alone, in packs, s")
    with tempfile.TemporaryDirectory() as folder:
        shelf = Shelf(Path(folder) / "shelf")
        measure_heads(model, bundled_corpus(), shelf=shelf)
        lap("all of it, s")
        measure_heads(model, bundled_corpus(), shelf=shelf)
        lap("all of it from what was kept, s")
        kept = sum(file.stat().st_size for file in (Path(folder) / "shelf").iterdir())
    return {
        **seconds,
        "the benchmark, s": perf_counter() - begun,
        "sentences and generated texts": float(len(plan.texts)),
        "tokens": float(sum(text.n_token for text in plan.texts)),
        "memory with the model open, MiB": opened / MIB,
        "memory at the most, MiB": _peak() / MIB,
        "kept on disk, MiB": kept / MIB,
    }


def compare(path: Path, treebank: Path) -> dict[str, float]:
    """Spearman's correlation over all heads between the scores by the bundled corpus and by a treebank, for each relation of
    both."""
    from attnviz.corpus.opening import open_corpus
    from attnviz.engine.blas import keep_to_one_thread
    from attnviz.engine.model import load_model
    from attnviz.probing.roles import measure_heads

    keep_to_one_thread()
    model = load_model(path)
    own, other = (measure_heads(model, open_corpus(corpus), muted=0) for corpus in (None, treebank))
    found = {key: value for key in own.by_key if (value := _spearman(own, other, key)) is not None}
    print(f"\n{'relation':<40}{'cases':>8}{'cases':>8}{'best':>7}{'best':>7}{'Spearman':>10}")
    for key, value in found.items():
        here, there = own.by_key[key], other.by_key[key]
        best = f"{np.nanmax(here.score):>7.2f}{np.nanmax(there.score):>7.2f}"
        print(f"{here.measure.title:<40}{here.n_case:>8,}{there.n_case:>8,}{best}{value:>10.3f}")
    values = list(found.values())
    enough = sum(value >= 0.8 for value in values)
    print(f"{len(values)} relations: median {np.median(values):.3f}, least {min(values):.3f}, {enough} of them 0.8 or more")
    return found


def _spearman(own: HeadRoles, other: HeadRoles, key: str) -> float | None:
    here, there = own.by_key[key], other.by_key.get(key)
    if here.measure.group != "grammar" or there is None or not (here.n_case and there.n_case):
        return None
    return float(np.corrcoef(_ranks(here.score), _ranks(there.score))[0, 1])


def _ranks(scores: NDArray[np.float32]) -> NDArray[np.float64]:
    """The place of each in their order, equal ones the mean of theirs."""
    _, inverse, counts = np.unique(scores.ravel(), return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return ((2 * ends - counts + 1) / 2)[inverse]


def _default_model() -> Path:
    from attnviz.library.discovery import default_model

    model = default_model()
    if model is None:
        raise SystemExit("The benchmark needs the default model; get it with: attnviz get minilm")
    return model


def _peak() -> int:
    """The most memory that this process has held, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    raise SystemExit(main())
