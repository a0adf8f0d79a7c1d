"""What does not fit the memory is refused with the figures before any of it is taken, and the figures are true."""

from __future__ import annotations

import re
import subprocess
import sys
import tracemalloc
from math import prod
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import psutil
import pytest

from attnviz.engine import attention_blocks, memory, needs, threads, trace
from attnviz.engine import model as model_module
from attnviz.engine.memory import free_memory, size
from attnviz.engine.model import Model, load_model
from attnviz.engine.needs import attention_fits, logits_bytes, run_bytes
from attnviz.engine.steps import steps_bytes
from attnviz.engine.value_vectors import value_bytes
from attnviz.errors import InputError, ModelError
from tests.engine.counting import Reads
from tests.engine.larger_models import write_larger
from tests.golden.families_reader import weights, write_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MIB = 1 << 20
LARGER: Final[dict[str, dict[str, Any]]] = {
    "bert-mlm": {
        "hidden_size": 192,
        "num_attention_heads": 4,
        "num_hidden_layers": 6,
        "intermediate_size": 768,
        "max_position_embeddings": 1_024,
    },
    "llama-gqa": {
        "hidden_size": 256,
        "num_attention_heads": 8,
        "num_key_value_heads": 2,
        "num_hidden_layers": 6,
        "intermediate_size": 1_024,
    },
    "mixtral-two-of-four": {
        "hidden_size": 256,
        "num_attention_heads": 8,
        "num_key_value_heads": 2,
        "num_hidden_layers": 4,
        "intermediate_size": 768,
    },
    "t5-tied": {"d_model": 128, "d_kv": 32, "num_heads": 4, "num_layers": 3, "num_decoder_layers": 3, "d_ff": 512},
}
LONG = "the fox " * 400


class Free:
    """Free memory as a test has it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.n_bytes = 1 << 40
        monkeypatch.setattr(model_module, "free_memory", lambda: self.n_bytes)


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> Free:
    return Free(monkeypatch)


def growth(work: Callable[[], object]) -> int:
    """The most memory that was held besides what there was, bytes; NumPy tells of its arrays."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        result = work()
        assert result is not None
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def run(model: Model, text: str, head_count: int | None = None) -> trace.Trace:
    return model.trace(text, text if model.config.decoder else None, head_count)


def lengths(found: trace.Trace) -> tuple[int, int]:
    return len(found.ids), len(found.decoder_ids or ())


@pytest.mark.parametrize("n_processor", [1, 2])
@pytest.mark.parametrize("budget", [None, 2 * MIB], ids=["all attention kept", "little attention kept"])
@pytest.mark.parametrize("case", LARGER)
def test_a_run_takes_what_was_foreseen_and_at_least_half_of_it(
    case: str, budget: int | None, n_processor: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (threads, attention_blocks, needs):
        monkeypatch.setattr(module, "n_processor", lambda: n_processor)
    model = load_model(write_larger(case, tmp_path, **LARGER[case]))  # float32: the weights stay where they are mapped
    if budget is not None:
        monkeypatch.setattr(trace, "ATTENTION_BUDGET", budget)
        monkeypatch.setattr(needs, "ATTENTION_BUDGET", budget)
    run(model, "the")
    for words in (50, 120, 400):
        for head_count in (None, 1, 2 * model.config.n_head):
            text = "the fox " * words
            n = lengths(run(model, text, head_count))
            taken = growth(lambda text=text, head_count=head_count: run(model, text, head_count))
            foreseen = run_bytes(model.config, head_count or model.config.n_head, *n)
            said = f"{n} tokens, {head_count} heads: {size(taken)} of {size(foreseen)}"
            assert taken <= foreseen, said
            # A second processor that has other work does no part of this, and takes nothing.
            assert n_processor > 1 or foreseen <= 2 * taken, said


def test_the_memory_of_a_long_text_grows_with_its_tokens_not_with_their_pairs(tmp_path: Path) -> None:
    sizes = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 3, "max_position_embeddings": 4_096}
    model = load_model(write_larger("llama-gqa", tmp_path, **sizes, num_attention_heads=8, num_key_value_heads=4))
    taken = {}
    for words in (500, 1_000, 2_000):
        text = "the fox " * words
        n, _ = lengths(run(model, text))
        assert not attention_fits({"decoder": (3, 8, n, n)}) or words == 500
        taken[n] = growth(lambda text=text: model.trace(text).hidden)
    (_, _), (n, less), (longer, more) = taken.items()
    assert longer == pytest.approx(2 * n, rel=0.01)
    # Twice the tokens take at most twice the memory; pairs of them would take four times: 8 heads of 4,001 tokens have 489 MiB.
    assert more < 2.1 * less
    assert more < 60 * MIB


@pytest.mark.parametrize("case", ["llama-gqa", "mixtral-two-of-four"])
def test_a_run_that_keeps_nothing_holds_one_layer_with_one_expert(case: str, tmp_path: Path) -> None:
    folder = write_larger(case, tmp_path, dtype="bfloat16", **LARGER[case])
    model = load_model(folder, budget=0)
    n = lengths(run(model, "the"))
    taken = growth(lambda: run(model, "the"))
    largest = model._needs.largest
    assert largest > 2 * MIB
    assert largest <= taken <= largest + run_bytes(model.config, model.config.n_head, *n)


@pytest.mark.parametrize(
    "case", ["llama-gqa", "llama-biases", "mixtral-two-of-four", "mixtral-three-of-five-bare", "gpt-oss-windows-yarn"]
)
def test_the_largest_part_is_a_layer_with_one_of_its_experts(case: str, tmp_path: Path) -> None:
    model = load_model(write_model(case, tmp_path))
    n_expert = model.config.stack.experts.n if model.config.stack.experts else 1
    sizes = [0.0] * model.config.n_layer
    for name, tensor in weights(case).items():
        layer = re.search(r"layers\.(\d+)\.", name)
        if layer:
            sizes[int(layer[1])] += 4 * prod(tensor.shape) / (n_expert if ".experts" in name else 1)
    assert model._needs.largest == max(sizes)


def test_predictions_take_what_was_foreseen_and_at_least_half_of_it(tmp_path: Path) -> None:
    folder = write_larger("llama-gqa", tmp_path, dtype="bfloat16", **LARGER["llama-gqa"], vocab_size=20_000)
    model = load_model(folder)
    for words in (100, 400):
        found = run(model, "the fox " * words)
        taken = growth(found.logits)
        assert taken <= logits_bytes(model.config, *found.hidden.shape) <= 2 * taken


@pytest.mark.parametrize("case", LARGER)
def test_a_model_that_cannot_run_is_refused_with_both_figures_before_a_number_is_read(
    case: str, tmp_path: Path, free: Free, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_larger(case, tmp_path, **LARGER[case])
    found = load_model(folder)._needs
    least = found.largest + found.always + 64 * MIB
    reads = Reads().watch(monkeypatch)
    free.n_bytes = least - 1
    with pytest.raises(ModelError) as caught:
        load_model(folder)
    assert not reads
    assert str(folder) in str(caught.value)
    assert f"needs {size(least)} " in str(caught.value)
    assert f"{size(found.largest)} of it for one layer" in str(caught.value)
    assert f"{size(least - 1)} are free" in str(caught.value)
    free.n_bytes = least
    assert run(load_model(folder), "the").hidden is not None


def test_a_text_that_does_not_fit_is_refused_with_both_figures_before_a_number_is_read(
    tmp_path: Path, free: Free, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = Reads().watch(monkeypatch)
    model = load_model(write_larger("llama-gqa", tmp_path, **LARGER["llama-gqa"]))
    (n, _) = lengths(run(model, LONG))
    needed = run_bytes(model.config, 8, n) + model._needs.largest
    assert needed > 100 * MIB
    reads.take()
    free.n_bytes = needed - 1
    with pytest.raises(InputError) as caught:
        run(model, LONG)
    assert not reads
    assert f"{n:,} tokens" in str(caught.value)
    assert size(needed) in str(caught.value)
    assert f"{size(needed - 1)} are free" in str(caught.value)
    assert run(model, "the").hidden is not None  # a shorter one
    assert run(model, LONG, head_count=1).hidden is not None  # fewer heads
    free.n_bytes = needed
    assert run(model, LONG).hidden is not None


def test_the_kept_layers_make_room_for_a_long_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = load_model(write_larger("llama-gqa", tmp_path, **LARGER["llama-gqa"]), budget=1 << 40)
    (n, _) = lengths(run(model, LONG))
    needed = run_bytes(model.config, 8, n) + model._needs.largest
    all_layers = model._kept.n_bytes
    assert all_layers == 6 * model._needs.largest
    monkeypatch.setattr(model_module, "free_memory", lambda: needed + all_layers - 1 - model._kept.n_bytes)
    run(model, LONG)  # as much as is left beside it is kept
    assert model._kept.n_bytes == 5 * model._needs.largest
    run(model, "the")  # and all of them once there is room again
    assert model._kept.n_bytes == all_layers


def test_predictions_that_do_not_fit_are_refused_with_both_figures_and_come_when_they_do(
    tmp_path: Path, free: Free, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load_model(write_larger("llama-gqa", tmp_path, **LARGER["llama-gqa"], vocab_size=20_000))
    found = run(model, LONG)
    needed = logits_bytes(model.config, *found.hidden.shape)
    assert needed > 64 * MIB
    free.n_bytes = needed - 1
    reads = Reads().watch(monkeypatch)
    with pytest.raises(InputError) as caught:
        found.logits()
    assert not reads
    assert f"{len(found.ids):,} tokens" in str(caught.value)
    assert size(needed) in str(caught.value)
    assert f"{size(needed - 1)} are free" in str(caught.value)
    free.n_bytes = needed
    assert found.logits().shape == (len(found.ids), 20_000)


@pytest.mark.parametrize("case", LARGER)
def test_steps_and_value_vectors_take_what_was_foreseen(case: str, tmp_path: Path) -> None:
    model = load_model(write_larger(case, tmp_path, **LARGER[case]))
    for head_count in (None, 1, 2 * model.config.n_head):
        found = run(model, LONG, head_count)
        for kind in found.kinds:
            projected, heads, n_key = found.attended(1, kind).projected, found.head_count_of(kind), len(found.keys(kind))
            taken = growth(lambda found=found, kind=kind: found.steps(1, 100, kind))
            foreseen = steps_bytes(projected, heads)
            assert taken <= foreseen <= 2 * taken, f"{kind}, {heads} heads: {size(taken)} of {size(foreseen)}"
            for keys in (slice(None), slice(50, 200)):
                taken = growth(lambda found=found, kind=kind, keys=keys: found.value_vectors(1, kind, keys))
                foreseen = value_bytes(projected, heads, len(range(*keys.indices(n_key))))
                assert taken <= foreseen <= 2 * taken, f"{kind}, {heads} heads: {size(taken)} of {size(foreseen)}"


def test_a_text_that_is_written_on_counts_the_values_that_it_keeps(tmp_path: Path) -> None:
    model = load_model(write_larger("llama-gqa", tmp_path, **LARGER["llama-gqa"]))
    first = run(model, LONG)
    longer = model.trace(LONG, written=[5], like=first)
    n, stack = len(longer.ids), model.config.stack
    values = sum(longer.attended(layer, "decoder").projected.v.nbytes for layer in range(longer.n_layer))
    assert values == 4 * n * stack.n_kv_head * stack.d_head * stack.n_layer
    assert run_bytes(model.config, 8, n, reads_on=True) == run_bytes(model.config, 8, n) + values


def test_numbers_inside_a_layer_that_do_not_fit_are_refused_with_both_figures_and_come_in_blocks(
    tmp_path: Path, free: Free, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = Reads().watch(monkeypatch)
    model = load_model(write_larger("llama-gqa", tmp_path, **LARGER["llama-gqa"]), budget=0)
    found = run(model, LONG)
    monkeypatch.setattr(model_module, "_BESIDES", 0)
    projected, n_key = found.attended(0, "decoder").projected, len(found.ids)
    needed = value_bytes(projected, 8, n_key) + model._needs.largest
    one_query = steps_bytes(projected, 8) + model._needs.largest
    free.n_bytes = needed - 1
    reads.take()
    with pytest.raises(InputError) as caught:
        found.value_vectors(0)
    assert not reads
    assert size(needed) in str(caught.value)
    assert f"{size(needed - 1)} are free" in str(caught.value)
    assert found.value_vectors(0, keys=slice(0, n_key // 2)).shape[1] == n_key // 2
    free.n_bytes = needed
    assert found.value_vectors(0).shape[1] == n_key
    free.n_bytes = one_query
    assert found.steps(0, 5).attention.shape == (8, n_key)
    free.n_bytes = one_query - 1
    with pytest.raises(InputError, match=re.escape(size(one_query))):
        found.steps(0, 5)


def test_a_layer_that_was_not_kept_is_read_again_for_its_steps_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_larger("llama-gqa", tmp_path, dtype="bfloat16", **LARGER["llama-gqa"])
    kept = run(load_model(folder), "the fox").steps(2, 1)
    reads = Reads().watch(monkeypatch)
    found = run(load_model(folder, budget=0), "the fox")
    reads.take()
    again = found.steps(2, 1)
    taken = reads.take()
    assert taken
    assert all(".layers.2." in name for name in taken)
    for name, value in vars(kept).items():
        if isinstance(value, np.ndarray):
            assert np.array_equal(value, vars(again)[name]), name


VERSION_2 = ("memory.max", "memory.current", "memory.stat", "inactive_file")
VERSION_1 = (
    "memory/memory.limit_in_bytes",
    "memory/memory.usage_in_bytes",
    "memory/memory.stat",
    "total_inactive_file",
)


class Container:
    """The files of a control group, on a machine of 1 TiB without limits on the process."""

    def __init__(self, folder: Path, names: tuple[str, str, str, str], monkeypatch: pytest.MonkeyPatch) -> None:
        (folder / "memory").mkdir()
        self._limit, self._used, self._statistics = (folder / name for name in names[:3])
        self._droppable = names[3]
        monkeypatch.setattr(memory, "_CGROUP", folder)
        monkeypatch.setattr(memory, "_process_room", list)
        monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=1 << 40))

    def says(self, limit: object, used: int, droppable: int = 0) -> None:
        self._limit.write_text(f"{limit}\n")
        self._used.write_text(f"{used}\n")
        self._statistics.write_text(f"anon 1\n{self._droppable} {droppable}\nactive_file 7\n")


@pytest.fixture(params=[VERSION_2, VERSION_1], ids=["version 2", "version 1"])
def container(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Container:
    return Container(tmp_path, request.param, monkeypatch)


def test_a_containers_limit_counts_less_what_it_uses_but_for_files_it_can_drop(container: Container) -> None:
    container.says(1_000_000_000, 700_000_000, droppable=200_000_000)
    assert free_memory() == 500_000_000
    container.says(1_000_000_000, 700_000_000)
    assert free_memory() == 300_000_000


def test_a_container_that_is_over_its_limit_has_nothing_free(container: Container) -> None:
    container.says(1_000, 2_000)
    assert free_memory() == 0


def test_a_limit_above_what_the_machine_has_changes_nothing(container: Container) -> None:
    container.says(0x7FFFFFFFFFFFF000, 0)  # what version 1 says where there is none
    assert free_memory() == 1 << 40


@pytest.mark.parametrize("limit", ["max", "", "plenty"])
def test_without_a_containers_limit_the_machines_memory_counts(container: Container, limit: str) -> None:
    assert free_memory() == 1 << 40
    container.says(limit, 5)
    assert free_memory() == 1 << 40


def test_a_limit_on_the_process_counts_less_what_it_has_taken() -> None:
    pytest.importorskip("resource")
    program = """
import resource, psutil, numpy as np
from attnviz.engine.memory import free_memory
taken = psutil.Process().memory_info().vms
resource.setrlimit(resource.RLIMIT_AS, (taken + (48 << 20), resource.RLIM_INFINITY))
before = free_memory()
numbers = np.ones(4 << 20, np.float32)
print(before, free_memory())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    before, after = map(int, done.stdout.split())
    assert 40 * MIB <= before <= 48 * MIB
    assert after <= before - 16 * MIB


def test_sizes_read_as_a_person_says_them() -> None:
    assert [size(n) for n in (0, 1536, 5 * MIB, 640 * MIB, 3.1 * 1024 * MIB, 250 << 40)] == [
        "0 KiB",
        "2 KiB",
        "5.0 MiB",
        "640 MiB",
        "3.1 GiB",
        "250 TiB",
    ]
