"""Where a configuration says one thing twice, both must say the same; no program's order of precedence is taken for granted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnviz.engine.config_keys import ConfigKeys
from attnviz.engine.families import FAMILIES
from attnviz.engine.rope import Rope
from attnviz.errors import ModelError
from tests.golden.families_reader import read_about

if TYPE_CHECKING:
    from attnviz.engine.config import ModelConfig

LINEAR = {"rope_type": "linear", "factor": 4.0}
OLD_LINEAR = {"type": "linear", "factor": 4}
PAIRS = [
    ("gpt2-lm", "n_embd", "hidden_size"),
    ("gpt2-lm", "n_head", "num_attention_heads"),
    ("gpt2-lm", "n_layer", "num_hidden_layers"),
    ("gpt2-lm", "n_positions", "max_position_embeddings"),
    ("bloom-lm", "n_head", "num_attention_heads"),
    ("bloom-lm", "n_layer", "num_hidden_layers"),
    ("mixtral-two-of-four", "num_local_experts", "num_experts"),
    ("distilbert-mlm", "dim", "hidden_size"),
]


def read(case: str, **changes: Any) -> ModelConfig:
    values = {**read_about(case)["config"], **changes}
    return FAMILIES[values["model_type"]].read_config(ConfigKeys(values, "config.json"))


def rope(case: str, **changes: Any) -> Rope:
    return read(case, **changes).stack.looks[0].rope


@pytest.mark.parametrize(("case", "one", "other"), PAIRS)
def test_two_spellings_of_a_size_are_read_if_they_are_equal_and_refused_if_not(case: str, one: str, other: str) -> None:
    value = read_about(case)["config"].get(one, read_about(case)["config"].get(other))
    assert read(case, **{one: value, other: value}) == read(case, **{one: value, other: None}) == read(case)
    assert read(case, **{one: None, other: value}) == read(case)
    for values in ((value, value + 1), (value + 1, value)):
        with pytest.raises(ModelError, match=rf'"{one}" is \d+ and "{other}" is \d+, two spellings of one key'):
            read(case, **dict(zip((one, other), values, strict=True)))


def test_a_second_spelling_of_another_kind_is_refused_by_its_own_name() -> None:
    with pytest.raises(ModelError, match="\"num_attention_heads\" is 'four', expected a whole number"):
        read("gpt2-lm", num_attention_heads="four")


def test_words_count_by_what_they_mean() -> None:
    plain = read("gemma-one-key-head", hidden_act=None, hidden_activation="gelu_pytorch_tanh")
    assert read("gemma-one-key-head", hidden_act="gelu", hidden_activation="gelu_pytorch_tanh") == plain
    with pytest.raises(ModelError, match="\"hidden_act\" is 'relu' and \"hidden_activation\" is 'gelu_pytorch_tanh'"):
        read("gemma-one-key-head", hidden_act="relu", hidden_activation="gelu_pytorch_tanh")


@pytest.mark.parametrize("other", ["pad_token_id", "eos_token_id"])
def test_a_token_that_is_only_a_substitute_may_be_another(other: str) -> None:
    case = "t5-tied" if other == "pad_token_id" else "bart-lm"
    assert read(case, decoder_start_token_id=5, **{other: 3}).decoder_start == 5
    assert read(case, decoder_start_token_id=None, **{other: 3}).decoder_start == 3


def test_both_forms_of_rotary_positions_are_read_if_they_mean_the_same() -> None:
    told = rope("llama-gqa", rope_parameters={**LINEAR, "rope_theta": 500.0}, rope_scaling=OLD_LINEAR, rope_theta=500.0)
    assert (told.kind, told.factor, told.base) == ("linear", 4.0, 500.0)
    assert told == rope("llama-gqa", rope_parameters=None, rope_scaling={**LINEAR, "type": "linear"}, rope_theta=500)


@pytest.mark.parametrize("case", ["llama-gqa", "phi3-window", "gemma2-caps-windows", "gpt-neox-parallel"])
@pytest.mark.parametrize("parameters", [{"rope_type": "default"}, {**LINEAR, "factor": 2.0}, {**LINEAR, "rope_theta": 77.0}])
def test_both_forms_of_rotary_positions_are_refused_if_they_differ(case: str, parameters: dict[str, Any]) -> None:
    bases = dict.fromkeys({"rope_theta", "rotary_emb_base"} & read_about(case)["config"].keys())
    with pytest.raises(ModelError, match='"rope_parameters" and "rope_scaling" are two spellings of one key and differ'):
        read(case, rope_parameters=parameters, rope_scaling=LINEAR, **bases)


@pytest.mark.parametrize("where", ["rope_parameters", "rope_scaling"])
def test_an_unknown_key_is_found_in_either_form(where: str) -> None:
    both = {"rope_parameters": LINEAR, "rope_scaling": LINEAR}
    with pytest.raises(ModelError, match=f'in "{where}": .*"twist"'):
        read("llama-gqa", **{**both, where: {**LINEAR, "twist": 1}})


@pytest.mark.parametrize("values", [("linear", "dynamic"), ("default", "mrope"), ("yarn", "linear")])
def test_two_types_of_rotary_positions_are_refused(values: tuple[str, str]) -> None:
    with pytest.raises(ModelError, match='"type" is'):
        read("llama-gqa", rope_parameters=None, rope_scaling={"rope_type": values[0], "type": values[1], "factor": 4.0})


def test_su_is_another_word_for_longrope() -> None:
    factors = {"short_factor": [1.0] * 4, "long_factor": [2.0] * 4}
    plain = rope("phi3-longrope", rope_parameters=None, rope_scaling={"type": "longrope", **factors})
    assert rope("phi3-longrope", rope_parameters=None, rope_scaling={"rope_type": "longrope", "type": "su", **factors}) == plain


@pytest.mark.parametrize(
    ("case", "changes", "named"),
    [
        ("llama-gqa", {"rope_theta": 500.0, "rope_parameters": {"rope_theta": 600.0}}, "rope_theta"),
        ("gpt-neox-parallel", {"rotary_pct": 0.5, "rope_parameters": {"partial_rotary_factor": 0.25}}, "rotary_pct"),
        (
            "modernbert-mlm",
            {"local_rope_theta": 500.0, "rope_parameters": {"sliding_attention": {"rope_theta": 7.0}}},
            "local_rope",
        ),
        ("gemma3-two-bases", {"rope_theta": 500.0, "rope_parameters": {"full_attention": {"rope_theta": 7.0}}}, "rope_theta"),
    ],
)
def test_a_base_or_share_beside_the_part_and_in_it_must_be_equal(case: str, changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ModelError, match=rf'"{named}\w*" is [\d.]+ and "\w+" of its rotary positions is'):
        read(case, rope_scaling=None, **changes)


def gemma3(scaling: Any, full: Any) -> Rope:
    parameters = {"sliding_attention": {"rope_type": "default"}, **({} if full is None else {"full_attention": full})}
    config = read("gemma3-two-bases", rope_scaling=scaling, rope_parameters=parameters, rope_theta=None, rope_local_base_freq=None)
    return next(look.rope for look in config.stack.looks if look.reach is None)


def test_gemma_3_does_not_pass_over_a_stretching_beside_its_parts() -> None:
    assert gemma3(LINEAR, None) == gemma3(None, LINEAR) == gemma3(OLD_LINEAR, LINEAR)
    assert gemma3(LINEAR, None).kind == "linear"
    with pytest.raises(ModelError, match='"rope_parameters" and "rope_scaling" are two spellings of one key and differ'):
        gemma3(LINEAR, {"rope_type": "default"})
    with pytest.raises(ModelError, match=r'in "rope_scaling": .*"twist"'):
        gemma3({**LINEAR, "twist": 1}, LINEAR)


def test_yarn_with_a_base_of_1_is_refused() -> None:
    yarn = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16}
    for changes in (
        {"rope_theta": 1.0, "rope_parameters": yarn},
        {"rope_theta": None, "rope_parameters": {**yarn, "rope_theta": 1}},
    ):
        with pytest.raises(ModelError, match='"rope_type" yarn needs a "rope_theta" of more than 1, and it is 1'):
            read("llama-gqa", **changes)


def test_the_longest_text_turns_the_narrowest_heads_by_finite_angles() -> None:
    assert np.isfinite(Rope(3, 1e12, "dynamic", factor=1e6, original=1).frequencies(100_000)).all()


def numbers(low: float, high: float, *often: float) -> st.SearchStrategy[float]:
    return st.sampled_from([low, high, *often]) | st.floats(low, high)


PARTS = st.fixed_dictionaries(
    {"rope_type": st.sampled_from(["default", "linear", "dynamic", "yarn", "llama3", "longrope"])},
    optional={
        "rope_theta": numbers(1.0, 1e12, 1.0000000001, 1e4),
        "factor": numbers(1e-3, 1e6, 1.0),
        "original_max_position_embeddings": st.sampled_from([1, 2, 16, 1 << 31]),
        "low_freq_factor": numbers(1e-6, 1e6, 1.0),
        "high_freq_factor": numbers(1e-6, 1e6, 1.0000000001),
        "beta_slow": numbers(1e-6, 1e6, 1.0),
        "beta_fast": numbers(1e-6, 1e6, 1.0),
        "mscale": numbers(0.0, 100.0, 1.0),
        "mscale_all_dim": numbers(0.0, 100.0, 1.0),
        "truncate": st.booleans(),
        "short_factor": st.lists(numbers(0.0, 1e6, 1e-300), min_size=4, max_size=4),
        "long_factor": st.lists(numbers(0.0, 1e6, 1e-300), min_size=4, max_size=4),
    },
)
OF_KIND = {
    "default": (),
    "linear": ("factor",),
    "dynamic": ("factor", "original_max_position_embeddings"),
    "yarn": ("factor", "original_max_position_embeddings", "beta_slow", "beta_fast", "mscale", "mscale_all_dim", "truncate"),
    "llama3": ("factor", "original_max_position_embeddings", "low_freq_factor", "high_freq_factor"),
    "longrope": ("factor", "original_max_position_embeddings", "short_factor", "long_factor"),
}


@given(part=PARTS, n_position=st.sampled_from([1, 2, 64, 1 << 31]), d_head=st.sampled_from([2, 4, 8]))
def test_what_is_accepted_turns_by_finite_angles(part: dict[str, Any], n_position: int, d_head: int) -> None:
    part = {key: value for key, value in part.items() if key in ("rope_type", "rope_theta", *OF_KIND[part["rope_type"]])}
    for name in ("short_factor", "long_factor"):
        if name in part:
            part[name] = part[name][: d_head // 2]
    changes = {"rope_theta": None, "rope_scaling": None, "max_position_embeddings": n_position, "head_dim": d_head}
    try:
        told = rope("llama-gqa", rope_parameters=part, **changes)
    except ModelError:
        return
    for n in (1, 40):
        for table in told.table(n):
            assert table.shape == (n, d_head // 2)
            assert np.isfinite(table).all()
