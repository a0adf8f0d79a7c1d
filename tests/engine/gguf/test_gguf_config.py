"""What a GGUF file tells is read strictly: every key is used, harmless or refused by name; every tensor is accounted for."""

from __future__ import annotations

import contextlib
import re
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest

from attnviz import load_model
from attnviz.engine.gguf.config import ARCHITECTURES, read_config
from attnviz.engine.gguf.names import TABLES
from attnviz.engine.gguf.open import open_gguf
from attnviz.engine.gguf.stored import open_stored
from attnviz.errors import ModelError
from tests.golden.families_reader import read_about, weights
from tests.golden.gguf_cases import GGUF_CASES, tokenizer_metadata
from tests.golden.gguf_writer import Type, convert, stored_if_it_fits, write_gguf

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.golden.gguf_writer import Arrays, Converted

CONVERTED: Final = {case: convert(read_about(case)["config"], weights(case)) for case in GGUF_CASES}
CASE_OF: Final = {converted.architecture: case for case, converted in CONVERTED.items()}
REQUIRED: Final = ("block_count", "embedding_length", "attention.head_count", "feed_forward_length", "context_length")


def changed(
    path: Path,
    case: str,
    keys: dict[str, Any] | None = None,
    tensors: Arrays | None = None,
    without: tuple[str, ...] = (),
    more: dict[str, Any] | None = None,
) -> Path:
    """The case as a GGUF file with other keys and tensors; None leaves a key out, `without` tensors."""
    converted: Converted = CONVERTED[case]
    told = {key: value for key, value in {**converted.keys, **(keys or {})}.items() if value is not None}
    held = {name: tensor for name, tensor in {**converted.tensors, **(tensors or {})}.items() if name not in without}
    extra = tokenizer_metadata(read_about(case)) | (more or {})
    write_gguf(path, replace(converted, keys=told, tensors=held), stored_if_it_fits(Type.F32), extra)
    return path


@pytest.fixture
def load(tmp_path: Path, use_tokenizer: Callable[[str], None]) -> Callable[..., Any]:
    numbers = count()

    def load(case: str, **changes: Any) -> Any:
        use_tokenizer(read_about(case)["tokenizer"])
        return load_model(changed(tmp_path / f"{next(numbers)}-model.gguf", case, **changes))

    return load


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    return lambda case, **changes: read_config(open_stored(changed(tmp_path / "model.gguf", case, **changes)))


def test_every_architecture_has_a_golden_case_and_a_table_of_names() -> None:
    assert set(CASE_OF) == set(ARCHITECTURES)
    assert {read_about(case)["config"]["model_type"] for case in GGUF_CASES} - {"mistral", "xlm-roberta"} == set(TABLES)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_key_nobody_knows_is_refused_by_its_name(architecture: str, load: Callable[..., Any]) -> None:
    with pytest.raises(ModelError, match=rf'"{architecture}\.attention\.twist"'):
        load(CASE_OF[architecture], keys={"attention.twist": 2})
    with pytest.raises(ModelError, match=r'"other\.key"'):
        load(CASE_OF[architecture], more={"other.key": 2})


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_names_licences_and_how_it_was_quantised_change_nothing(architecture: str, load: Callable[..., Any]) -> None:
    more = {"general.license": "mit", "general.type": "model", "quantize.imatrix.file": "x", "mradermacher.convert_type": "hf"}
    load(CASE_OF[architecture], keys={"vocab_size": 7, "pooling_type": 2}, more=more)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize(
    "key", ["block_count", "embedding_length", "attention.head_count", "feed_forward_length", "context_length"]
)
def test_a_missing_key_is_named(architecture: str, key: str, config: Callable[..., Any]) -> None:
    if (architecture, key) == ("gpt-oss", "feed_forward_length"):
        key = "expert_feed_forward_length"
    with pytest.raises(ModelError, match=rf'"{architecture}\.{key}" is missing'):
        config(CASE_OF[architecture], keys={key: None})


@pytest.mark.parametrize("value", [0, 2**31 - 1, True, "two", 2.0, [1, 2]])
@pytest.mark.parametrize("key", ["block_count", "attention.head_count", "attention.head_count_kv", "embedding_length"])
def test_an_absurd_size_is_refused_at_once(key: str, value: Any, load: Callable[..., Any]) -> None:
    with pytest.raises(ModelError, match=r"model\.gguf"):
        load("llama-gqa", keys={key: value})


@pytest.mark.parametrize("value", ["x", True, float("nan"), float("inf"), -1.0, [1, 2, 3], ["a", "b"], [True, False], [0.5, 0.25]])
@pytest.mark.parametrize("case", ["llama-gqa", "gemma3-two-bases", "bert-mlm"])
def test_a_value_of_another_kind_is_refused_by_its_key_wherever_it_matters(case: str, value: Any, load: Callable[..., Any]) -> None:
    for key, sound in CONVERTED[case].keys.items():
        if type(sound) is type(value) or key in ("vocab_size", "pooling_type"):
            continue
        with pytest.raises(ModelError, match=re.escape(f"{CONVERTED[case].architecture}.{key}")):
            load(case, keys={key: value})


@pytest.mark.parametrize("key", ["general.architecture", "general.type", "general.alignment", "split.count"])
def test_the_files_own_keys_of_another_kind_are_refused(key: str, load: Callable[..., Any]) -> None:
    for value in (True, 2.5, [1, 2], ["a"]):
        with pytest.raises(ModelError):
            load("bert-mlm", more={key: value})


@pytest.mark.parametrize("key", ["tokenizer.ggml.model", "tokenizer.ggml.padding_token_id"])
@pytest.mark.parametrize("value", ["x", True, 2.5, [1, 2], ["a"], 4_000_000_000])
def test_a_tokenizer_of_another_kind_makes_no_other_error(key: str, value: Any, load: Callable[..., Any]) -> None:
    with contextlib.suppress(ModelError):
        load("roberta-mlm", more={key: value})


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_tensors_missing_extra_or_of_a_wrong_shape_are_named(architecture: str, load: Callable[..., Any]) -> None:
    case = CASE_OF[architecture]
    names = [name for name in CONVERTED[case].tensors if "blk.1." in name and name.endswith("weight")]
    assert names
    for name in names:
        with pytest.raises(ModelError, match=r"is missing"):
            load(case, without=(name,))
        if "rel_b" not in name:
            wrong = np.zeros([size + 1 for size in CONVERTED[case].tensors[name].shape], np.float32)
            with pytest.raises(ModelError, match=r"the configuration says|is missing"):
                load(case, tensors={name: wrong})
    for extra in ("blk.0.attn_twist.weight", "blk.99.attn_q.weight", "twist"):
        with pytest.raises(ModelError, match="which such a model does not have"):
            load(case, tensors={extra: np.zeros(3, np.float32)})
    with pytest.raises(ModelError, match="token_embd"):
        load(case, without=("token_embd.weight",))


@pytest.mark.parametrize("case", GGUF_CASES)
def test_rows_are_the_rows_of_the_whole_tensor(case: str, tmp_path: Path) -> None:
    source = open_gguf(changed(tmp_path / "model.gguf", case)).tensors
    for name in source.names:
        whole = source.read(name)
        assert (whole.shape, whole.dtype) == (source.shape(name), np.float32)
        picked = np.array([len(whole) - 1, 0, 0])
        np.testing.assert_array_equal(source.rows(name, picked), whole[picked])
        np.testing.assert_array_equal(source.rows(name, slice(0, 1)), whole[:1])


def test_a_value_for_each_layer_counts_if_they_are_all_the_same(config: Callable[..., Any]) -> None:
    assert config("llama-gqa", keys={"attention.head_count_kv": [2, 2]})["num_key_value_heads"] == 2
    with pytest.raises(ModelError, match=r'"llama\.attention\.head_count_kv" is \[2, 1\]'):
        config("llama-gqa", keys={"attention.head_count_kv": [2, 1]})


def test_other_architectures_and_additions_to_models_are_named(config: Callable[..., Any], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="'mamba'; of GGUF files attnviz runs llama, "):
        config("llama-gqa", more={"general.architecture": "mamba"})
    with pytest.raises(ModelError, match="'adapter', an addition to a model"):
        config("llama-gqa", more={"general.type": "adapter"})


def test_rotary_positions_are_read_with_llama_cpps_defaults(config: Callable[..., Any]) -> None:
    def rope(**keys: Any) -> dict[str, Any]:
        told = {f"rope.{key}": value for key, value in keys.items()}
        return config("llama-gqa", keys={"rope.freq_base": None, "rope.dimension_count": None, **told})["rope_parameters"]

    plain = {"rope_theta": 10_000.0, "partial_rotary_factor": 1.0, "rope_type": "default"}
    assert rope() == plain
    assert rope(**{"scaling.type": "none", "scaling.factor": 4.0}) == plain
    assert rope(**{"scale_linear": 4.0}) == {**plain, "rope_type": "linear", "factor": 4.0}
    assert rope(**{"scaling.factor": 4.0, "freq_base": 500.0}) == {
        **plain,
        "rope_theta": 500.0,
        "rope_type": "linear",
        "factor": 4.0,
    }
    yarn = rope(**{"scaling.type": "yarn", "scaling.factor": 4.0})
    assert (yarn["beta_fast"], yarn["beta_slow"], yarn["truncate"]) == (32.0, 1.0, True)
    assert yarn["original_max_position_embeddings"] == 64
    assert yarn["attention_factor"] == pytest.approx(1 + 0.1 * np.log(4))
    own = rope(**{"scaling.type": "yarn", "scaling.factor": 4.0, "scaling.yarn_attn_factor": 1.5, "scaling.attn_factor": 2.0})
    assert own["attention_factor"] == 3.0


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ({"rope.dimension_count": 6}, "rope.dimension_count"),
        ({"rope.scaling.type": "warped"}, "rope.scaling.type"),
        ({"rope.scaling.attn_factor": 1.5}, "attn_factor"),
        ({"rope.scaling.alpha": 1000.0}, "alpha"),
        ({"rope.scaling.factor": 2.0}, "rope_freqs"),
        ({"attention.causal": False}, "causal"),
        ({"attention.value_length": 7}, "value_length"),
        ({"attention.sliding_window": 7}, "sliding_window"),
        ({"expert_used_count": 2}, "expert_used_count"),
        ({"attention.clamp_kqv": 7.0}, "clamp_kqv"),
    ],
)
def test_what_the_forward_pass_does_not_compute_is_refused(keys: dict[str, Any], named: str, load: Callable[..., Any]) -> None:
    with pytest.raises(ModelError, match=named):
        load("llama-rope-llama3", keys=keys)


HALF: Final = {"rope_freqs.weight": np.full(4, 8.0, np.float32)}
FACTORS: Final = {f"rope_factors_{name}.weight": np.full(4, 8.0, np.float32) for name in ("short", "long")}


@pytest.mark.parametrize(
    ("tensors", "keys", "named"),
    [
        (HALF, {"type": "yarn"}, '"rope_freqs.weight" and "llama.rope.scaling.type" yarn'),
        (HALF, {"type": "longrope"}, '"rope_factors_short.weight" is missing'),
        ({}, {"type": "longrope"}, '"rope_factors_short.weight" is missing'),
        (FACTORS, {"type": "yarn"}, '"rope_factors_short.weight" and "llama.rope.scaling.type" yarn'),
        (FACTORS, {"type": "linear", "factor": 4.0}, '"rope_factors_short.weight" and "llama.rope.scaling.factor" 4'),
        (FACTORS, {"factor": 4.0}, '"rope_factors_short.weight" and "llama.rope.scaling.factor" 4'),
        (FACTORS, {"type": "longrope", "factor": 4.0}, '"rope_factors_short.weight" and "llama.rope.scaling.factor" 4'),
        (FACTORS | HALF, {}, '"rope_factors_short.weight" and "rope_freqs.weight"'),
    ],
)
def test_positions_stretched_in_two_ways_are_refused_with_both(
    tensors: Arrays, keys: dict[str, Any], named: str, config: Callable[..., Any]
) -> None:
    with pytest.raises(ModelError, match=re.escape(named)):
        config("llama-gqa", tensors=tensors, keys={f"rope.scaling.{key}": value for key, value in keys.items()})


@pytest.mark.parametrize("kind", [None, "linear", "longrope", "none"])
def test_longropes_factors_count_whatever_llama_cpp_calls_the_type(kind: str | None, config: Callable[..., Any]) -> None:
    read = config("llama-gqa", tensors=FACTORS, keys={"rope.scaling.type": kind, "rope.scaling.factor": 1.0})
    assert (read["rope_parameters"]["rope_type"], read["rope_parameters"]["short_factor"]) == ("longrope", [8.0] * 4)


def test_two_spellings_of_a_factor_that_differ_are_refused(config: Callable[..., Any]) -> None:
    assert config("llama-gqa", keys={"rope.scaling.factor": 4.0, "rope.scale_linear": 4.0})["rope_parameters"]["factor"] == 4.0
    with pytest.raises(ModelError, match=r'"llama\.rope\.scaling\.factor" is 4\.0 and "llama\.rope\.scale_linear" is 2\.0'):
        config("llama-gqa", keys={"rope.scaling.factor": 4.0, "rope.scale_linear": 2.0})


def test_yarn_with_a_base_of_1_is_refused(load: Callable[..., Any]) -> None:
    with pytest.raises(ModelError, match='yarn needs a "rope_theta" of more than 1'):
        load("llama-gqa", keys={"rope.scaling.type": "yarn", "rope.scaling.factor": 4.0, "rope.freq_base": 1.0})


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_tensors_for_one_none_is_silently_taken(order: int, tmp_path: Path, use_tokenizer: Callable[[str], None]) -> None:
    use_tokenizer(read_about("llama-gqa")["tokenizer"])
    converted, name = CONVERTED["llama-gqa"], "model.layers.0.self_attn.q_proj.weight"
    tensors = {**converted.tensors, name: np.zeros_like(weights("llama-gqa")[name])}
    path = tmp_path / "model.gguf"
    write_gguf(path, replace(converted, tensors=dict(list(tensors.items())[::order])), stored_if_it_fits(Type.F32), {})
    with pytest.raises(ModelError, match=f'tensor "{re.escape(name)}" is there twice'):
        load_model(path)


def test_rotary_tensors_and_eyes_are_named_in_a_model_without_such(load: Callable[..., Any]) -> None:
    with pytest.raises(ModelError, match=r'"rope_freqs\.weight", which such a model does not have'):
        load("gpt2-lm", tensors=HALF)
    with pytest.raises(ModelError, match=r'"v\.patch_embedding\.weight", which such a model does not have'):
        load("llama-gqa", tensors={"v.patch_embedding.weight": np.zeros((3, 4), np.float32)})


@pytest.mark.parametrize(("key", "value"), [("yarn_ext_factor", 0.5), ("yarn_log_multiplier", 0.1)])
def test_what_yarn_does_not_compute_is_refused(key: str, value: float, load: Callable[..., Any]) -> None:
    with pytest.raises(ModelError, match=key):
        load("llama-gqa", keys={"rope.scaling.type": "yarn", f"rope.scaling.{key}": value})


def test_half_of_longropes_factors_are_refused(load: Callable[..., Any]) -> None:
    with pytest.raises(ModelError, match="only one of"):
        load("phi3-longrope", without=("rope_factors_long.weight",))
    with pytest.raises(ModelError, match=r"expected \[4\]"):
        load("phi3-longrope", tensors={"rope_factors_long.weight": np.ones(5, np.float32)})


def test_windows_come_from_the_file_or_as_the_family_has_them(config: Callable[..., Any]) -> None:
    def layers(case: str, **keys: Any) -> str:
        read = config(case, keys={f"attention.{key}": value for key, value in keys.items()})
        return f"{read['sliding_window']} " + "".join(kind[0] for kind in read["layer_types"])

    assert layers("gemma2-uncapped-layer-types", sliding_window=None, sliding_window_pattern=None) == "4096 sfs"
    assert layers("gemma2-uncapped-layer-types", sliding_window=9, sliding_window_pattern=[True, True, False]) == "9 ssf"
    assert layers("gemma3-two-bases", sliding_window=None, sliding_window_pattern=None) == "None fff"
    assert layers("gemma3-two-bases", sliding_window=9, sliding_window_pattern=None) == "9 sss"
    assert layers("gemma3-two-bases", sliding_window=9, sliding_window_pattern=3) == "9 ssf"
    with pytest.raises(ModelError, match="sliding_window_pattern"):
        layers("gemma3-two-bases", sliding_window=9, sliding_window_pattern=[True, False])
    assert config("phi3-window", keys={"attention.sliding_window": 0})["sliding_window"] is None


def test_the_largest_gemmas_scale_by_the_width_shared_out(config: Callable[..., Any]) -> None:
    read = config("gemma2-caps-windows", keys={"attention.sliding_window_pattern": None, "block_count": 46})
    assert read["query_pre_attn_scalar"] == 32 // 4
    assert config("gemma2-caps-windows")["query_pre_attn_scalar"] == 10
    assert config("gemma2-caps-windows", keys={"attn_logit_softcapping": None})["attn_logit_softcapping"] == 50.0


def test_ollamas_gemma_3_is_read_without_its_eyes(config: Callable[..., Any], load: Callable[..., Any]) -> None:
    keys = {
        "attention.layer_norm_rms_epsilon": None,
        "rope.freq_base": None,
        "rope.freq_base_swa": None,
        "rope.scaling.type": None,
        "rope.scaling.factor": None,
        "rope.local.freq_base": 77.0,
        "vision.block_count": 27,
        "vision.image_size": 896,
        "mm.tokens_per_image": 256,
    }
    eyes = {"v.patch_embedding.weight": np.zeros((3, 4), np.float32), "mm.input_projection.weight": np.zeros((2, 4), np.float32)}
    load("gemma3-two-bases", keys=keys, tensors=eyes)
    read = config("gemma3-two-bases", keys=keys, tensors=eyes)
    full, local = read["rope_parameters"]["full_attention"], read["rope_parameters"]["sliding_attention"]
    assert (full["rope_type"], full["factor"], full["rope_theta"]) == ("linear", 8.0, 1e6)
    assert (local["rope_type"], local["rope_theta"]) == ("default", 77.0)
    assert read["rms_norm_eps"] == 1e-6
    with pytest.raises(ModelError, match=r"llama\.vision\.block_count"):
        config("llama-gqa", keys={"vision.block_count": 27})


def test_queries_keys_and_values_in_one_tensor_are_taken_apart(load: Callable[..., Any]) -> None:
    tensors = CONVERTED["llama-gqa"].tensors
    names = [f"blk.{layer}.attn_{part}.weight" for layer in (0, 1) for part in "qkv"]
    fused = {f"blk.{layer}.attn_qkv.weight": np.concatenate([tensors[name] for name in names[3 * layer :][:3]]) for layer in (0, 1)}
    _assert_same(load("llama-gqa"), load("llama-gqa", tensors=fused, without=tuple(names)))


def test_experts_in_tensors_of_their_own_are_read_as_files_before_2024_have_them(load: Callable[..., Any]) -> None:
    stacked = {name: tensor for name, tensor in CONVERTED["mixtral-two-of-four"].tensors.items() if "_exps." in name}
    single = {
        name.replace("_exps.", f".{number}."): matrix for name, tensor in stacked.items() for number, matrix in enumerate(tensor)
    }
    _assert_same(load("mixtral-two-of-four"), load("mixtral-two-of-four", tensors=single, without=tuple(stacked)))


def test_biases_that_the_file_leaves_out_are_zero(load: Callable[..., Any]) -> None:
    names = [f"blk.{layer}.{part}.bias" for layer in (0, 1) for part in ("attn_output", "ffn_down")]
    zeros = {name: np.zeros_like(CONVERTED["llama-biases"].tensors[name]) for name in names}
    _assert_same(load("llama-biases", tensors=zeros), load("llama-biases", without=tuple(names)))


def _assert_same(found: Any, wanted: Any) -> None:
    one, other = (model.trace("Tick tock, tick tock: 12!") for model in (found, wanted))
    np.testing.assert_allclose(one.hidden, other.hidden, rtol=0, atol=1e-6)
