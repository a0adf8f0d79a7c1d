"""config.json is read strictly: every key is used, known to be harmless, or the model is refused by its name."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnviz.engine.config import ModelConfig
from attnviz.engine.config_keys import ConfigKeys
from attnviz.engine.families import FAMILIES
from attnviz.engine.families.keys import ACTIVATIONS as ACTIVATION_NAMES
from attnviz.engine.families.keys import HARMLESS
from attnviz.engine.ops import ACTIVATIONS
from attnviz.errors import ModelError
from tests.engine.tiny_bert import CONFIG

SIZES = [name for name, value in CONFIG.items() if isinstance(value, int)]
NEEDED = [name for name in CONFIG if name not in HARMLESS and name not in ("tie_word_embeddings", "layer_norm_eps")]
PRESENT_BUT_PLAIN = {
    "position_embedding_type": "absolute",
    "is_decoder": False,
    "add_cross_attention": False,
    "is_encoder_decoder": False,
    "pruned_heads": {},
    "embedding_size": CONFIG["hidden_size"],
}
each_family = pytest.mark.parametrize("family", ["bert"])


def read(values: dict[str, Any], family: str = "bert") -> ModelConfig:
    return FAMILIES[family].read_config(ConfigKeys(values, "somewhere/config.json"))


def refusal(values: dict[str, Any], family: str = "bert") -> str:
    with pytest.raises(ModelError) as caught:
        read(values, family)
    sentence = str(caught.value)
    assert sentence.startswith("somewhere/config.json: ")
    assert len(sentence.splitlines()) == 1
    return sentence


def test_a_plain_config_is_read_into_its_numbers() -> None:
    config = read(CONFIG)
    assert (config.n_layer, config.n_head, config.d_model, config.d_head) == (2, 4, 16, 4)
    assert (config.stack.d_ff, config.n_vocab, config.n_position, config.n_segment) == (24, CONFIG["vocab_size"], 32, 2)
    assert (config.stack.norm_eps, config.stack.activation, config.family) == (1e-12, "gelu", "bert")


@each_family
def test_every_family_is_named_as_its_config_names_it(family: str) -> None:
    assert read({**CONFIG, "model_type": family}, family).family == family


@each_family
@given(key=st.text(min_size=1, max_size=12), value=st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=3)))
def test_an_unknown_key_is_refused_by_its_name(family: str, key: str, value: object) -> None:
    known = {*CONFIG, *HARMLESS, *PRESENT_BUT_PLAIN}
    values = {**CONFIG, "x" + key: value}
    if "x" + key not in known:
        assert "x" + key in _sentence(values, family)


def _sentence(values: dict[str, Any], family: str) -> str:
    with pytest.raises(ModelError) as caught:
        read(values, family)
    return str(caught.value)


@each_family
@pytest.mark.parametrize("key", ["attn_logit_softcapping", "sliding_window", "rope_theta", "attention_bias"])
def test_keys_that_change_the_attention_of_other_families_are_unknown_here(family: str, key: str) -> None:
    assert f'"{key}"' in refusal({**CONFIG, key: 50}, family)


def test_all_unknown_keys_are_named_at_once() -> None:
    sentence = refusal({**CONFIG, "foo": 1, "bar": 2})
    assert '"foo"' in sentence
    assert '"bar"' in sentence


@pytest.mark.parametrize("key", sorted(HARMLESS))
def test_a_harmless_key_changes_nothing(key: str) -> None:
    assert read({**CONFIG, key: 17}) == read(CONFIG)


@pytest.mark.parametrize("key", NEEDED)
def test_each_needed_key_is_missed_by_its_name(key: str) -> None:
    assert f'"{key}" is missing' in refusal({name: value for name, value in CONFIG.items() if name != key})


@pytest.mark.parametrize(
    "value", [0, -1, 10**12, 10**400, True, "12", 2.0, 2.5, None, [], {}, float("nan")], ids=lambda v: repr(v)[:9]
)
@pytest.mark.parametrize("key", SIZES)
def test_a_size_that_is_none_is_refused_by_its_name(key: str, value: object) -> None:
    assert f'"{key}" is ' in refusal({**CONFIG, key: value})


@pytest.mark.parametrize("value", ["1e-12", True, -1e-9, 2.0, float("nan"), float("inf"), []])
def test_a_norm_eps_that_is_none_is_refused(value: object) -> None:
    assert '"layer_norm_eps"' in refusal({**CONFIG, "layer_norm_eps": value})


@pytest.mark.parametrize("value", ["swoosh", "GELU", "", 1, ["gelu"], "x" * 10_000])
def test_an_unknown_activation_is_refused_with_the_known_ones(value: object) -> None:
    sentence = refusal({**CONFIG, "hidden_act": value})
    assert '"hidden_act"' in sentence
    assert "gelu_new" in sentence
    assert len(sentence) < 300


def test_every_activation_name_leads_to_an_operation() -> None:
    assert set(ACTIVATION_NAMES.values()) <= set(ACTIVATIONS)
    for name, meaning in ACTIVATION_NAMES.items():
        assert read({**CONFIG, "hidden_act": name}).stack.activation == meaning


def test_heads_that_do_not_divide_the_width_are_refused() -> None:
    assert '"num_attention_heads"' in refusal({**CONFIG, "num_attention_heads": 3})


def test_keys_with_the_one_value_that_is_computed_are_accepted() -> None:
    assert read({**CONFIG, **PRESENT_BUT_PLAIN}) == read(CONFIG)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("position_embedding_type", "relative_key"),
        ("position_embedding_type", "relative_key_query"),
        ("position_embedding_type", 7),
        ("is_decoder", True),
        ("add_cross_attention", True),
        ("is_encoder_decoder", True),
        ("pruned_heads", {"0": [1]}),
        ("embedding_size", 8),
    ],
)
def test_a_variant_that_is_not_computed_is_refused_by_its_key(key: str, value: object) -> None:
    assert f'"{key}"' in refusal({**CONFIG, key: value})
