"""A golden model written to GGUF, however its numbers are stored, computes what its Hugging Face folder computes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import gguf
import numpy as np
import pytest
from gguf import GGMLQuantizationType as Type

from attnviz import load_model
from tests.golden.families_reader import expected, read_about, weights
from tests.golden.gguf_cases import GGUF_CASES, dequantized, is_told_whole, tokenizer_metadata, told_weights, write_told_folder
from tests.golden.gguf_metadata import tokenizer_metadata as tokenizer_entries
from tests.golden.gguf_wide import WIDER, widened
from tests.golden.gguf_writer import ARCHITECTURES, convert, stored_if_it_fits, write_gguf

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from attnviz.engine.model import Model
    from attnviz.engine.trace import Trace

SENTENCES: Final = (("Café 東京 🦊 naïve – 你好!", "Why not?"), ("Tick tock: 12 and 12 make 24!", None))
# Golden data: relative to the largest number of an array. Quantised weights: of the same float32 numbers on both ways.
GOLDEN, SAME = 5e-5, 1e-5


@pytest.mark.parametrize("case", GGUF_CASES)
def test_float32_gives_what_the_folder_and_the_reference_give(case: str, tmp_path: Path) -> None:
    about = read_about(case)
    path = tmp_path / "model.gguf"
    write_gguf(path, convert(about["config"], weights(case)), stored_if_it_fits(Type.F32), whole_tokenizer(about))
    model = load_model(path)
    folder = load_model(write_told_folder(tmp_path / "folder", about["config"], told_weights(case), about["tokenizer"]))
    assert_same(model, folder)
    if is_told_whole(case):
        for wanted in expected(case):
            trace = model.trace(wanted.text, wanted.pair)
            found = np.stack([trace.attention(layer, trace.kinds[0]) for layer in range(len(wanted.attention))])
            assert_near(found, wanted.attention, GOLDEN)
            assert_near(trace.hidden if wanted.decoder_ids is None else trace.decoder_hidden, wanted.hidden, GOLDEN)


def whole_tokenizer(about: dict[str, Any]) -> dict[str, Any]:
    """The golden tokenizer's entries, with the padding's number that RoBERTa's positions begin after."""
    return {**tokenizer_entries(about["tokenizer"]), **tokenizer_metadata(about)}


def test_most_architectures_have_a_case_that_the_reference_proves() -> None:
    proven = {read_about(case)["config"]["model_type"] for case in GGUF_CASES if is_told_whole(case)}
    # The others' cases have distances or scales that a file cannot say; those are compared with their folders.
    assert proven >= set(ARCHITECTURES) - {"t5", "gemma2", "gemma3_text", "mistral"}


@pytest.mark.parametrize("kind", [Type.F16, Type.BF16, Type.Q8_0, Type.Q4_0, Type.Q5_1], ids=lambda kind: kind.name)
@pytest.mark.parametrize("case", WIDER)
def test_quantised_weights_give_what_they_give_in_a_folder(
    case: str, kind: Type, tmp_path: Path, use_tokenizer: Callable[[str], None]
) -> None:
    about = read_about(case)
    use_tokenizer(about["tokenizer"])
    config, tensors = widened(case, WIDER[case])
    converted = convert(config, tensors)
    stored_as = stored_if_it_fits(kind)
    path = tmp_path / "model.gguf"
    write_gguf(path, converted, stored_as, tokenizer_metadata(about))
    numbers = {name: _rounded(tensor, stored_as(name, tensor)) for name, tensor in converted.tensors.items()}
    assert sum(stored_as(name, tensor) == kind for name, tensor in converted.tensors.items()) > 6
    folder = write_told_folder(tmp_path / "folder", config, dequantized(config, tensors, numbers), about["tokenizer"])
    assert_same(load_model(path), load_model(folder))


def _rounded(tensor: Any, kind: Type) -> Any:
    """What is left of the numbers, by the library alone."""
    return gguf.dequantize(gguf.quantize(np.ascontiguousarray(tensor), kind), kind).reshape(tensor.shape)


def assert_same(model: Model, folder: Model) -> None:
    """The same tokens, attention everywhere, hidden states and, where both have them, logits."""
    for text, pair in SENTENCES:
        takes_pair = len(folder.config.kinds) > 1 or folder.config.n_segment > 1
        found, wanted = (one.trace(text, pair if takes_pair else None) for one in (model, folder))
        assert found.ids == wanted.ids
        _assert_same_trace(found, wanted)


def _assert_same_trace(found: Trace, wanted: Trace) -> None:
    for kind in wanted.kinds:
        for layer in range(wanted.n_layer_of(kind)):
            np.testing.assert_allclose(found.attention(layer, kind), wanted.attention(layer, kind), rtol=0, atol=SAME)
    assert_near(found.hidden, wanted.hidden, SAME)
    ours, theirs = found.logits(), wanted.logits()
    if ours is not None and theirs is not None:
        assert_near(ours, theirs, SAME)


def assert_near(found: Any, wanted: Any, tolerance: float) -> None:
    """Equal, relative to the largest number."""
    assert found.shape == wanted.shape
    assert float(np.abs(found - wanted).max()) <= tolerance * float(np.abs(wanted).max())
