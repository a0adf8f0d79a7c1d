"""The configurations of well-known decoders, as they are published, are read to the last key.

`golden/published/decoders.json` holds the keys and values of each model's config.json on the Hugging Face Hub, and what they
mean: sizes and choices that a reader of the model's paper or card would name.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from attnviz.engine.config_keys import LONGEST, ConfigKeys
from attnviz.engine.families import FAMILIES, family_of
from attnviz.errors import ModelError

if TYPE_CHECKING:
    from attnviz.engine.config import ModelConfig

PUBLISHED: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "golden" / "published" / "decoders.json").read_text(encoding="utf-8")
)
DECODERS = """gpt2 gpt_neox opt bloom llama mistral mixtral qwen2 qwen3 gemma gemma2 gemma3_text gemma3 phi3 olmo2
gpt_oss""".split()
LEARNED = {"gpt2", "opt"}  # positions from a table, which ends
each_model = pytest.mark.parametrize("name", PUBLISHED)


def read(values: dict[str, Any]) -> ModelConfig:
    return family_of(values, "config.json").read_config(ConfigKeys(values, "config.json"))


def config_of(name: str) -> ModelConfig:
    return read(PUBLISHED[name]["config"])


def meant(config: ModelConfig, name: str) -> Any:
    """What the configuration says under a name of the table: a field of the model or of its layers, or one of these.

    windowed: how many layers have a window; reach: how far those look back; ropes: each kind of turning, its base and width.
    """
    looks, experts = config.stack.looks, config.stack.experts
    match name:
        case "windowed":
            return sum(look.reach is not None for look in looks)
        case "reach":
            (reach,) = {look.reach for look in looks if look.reach is not None} or {None}
            return reach
        case "ropes":
            return sorted([rope.kind, rope.base, rope.width] for rope in {look.rope for look in looks} if rope is not None)
        case "experts":
            return None if experts is None else [experts.n, experts.n_used]
    return getattr(config, name) if hasattr(config, name) else getattr(config.stack, name)


@each_model
def test_a_published_configuration_is_read_as_its_model_card_says(name: str) -> None:
    config, wanted = config_of(name), PUBLISHED[name]["expected"]
    assert {key: meant(config, key) for key in wanted} == wanted
    assert config.family == PUBLISHED[name]["config"]["model_type"]
    assert config.kinds == ("decoder",)
    assert all(look.is_causal for look in config.stack.looks)
    assert len(config.stack.looks) == config.n_layer
    assert config.predicts


@each_model
def test_only_a_table_of_positions_limits_a_text(name: str) -> None:
    config = config_of(name)
    assert config.n_position == (config.n_trained if config.family in LEARNED else LONGEST)


@each_model
def test_scores_are_scaled_by_the_root_of_the_width_of_a_head(name: str) -> None:
    config = config_of(name)
    (scale,) = {look.scale for look in config.stack.looks}
    assert scale == pytest.approx(config.d_head**-0.5)


@each_model
def test_a_published_configuration_without_one_of_its_sizes_is_refused_by_that_key(name: str) -> None:
    values = PUBLISHED[name]["config"]
    for key in {"vocab_size", "hidden_size", "num_hidden_layers", "n_embd", "n_layer", "max_position_embeddings"} & set(values):
        with pytest.raises(ModelError, match=" is missing"):
            read({other: value for other, value in values.items() if other != key})


def test_gemma_2_caps_its_scores_and_gemma_3_does_not() -> None:
    assert {look.soft_cap for look in config_of("google/gemma-2-2b").stack.looks} == {50.0}
    assert {look.soft_cap for look in config_of("google/gemma-3-1b-it").stack.looks} == {None}


def test_gemma_3_turns_the_layers_with_a_window_by_the_lower_base() -> None:
    for look in config_of("google/gemma-3-270m").stack.looks:
        assert look.rope.base == (1e6 if look.reach is None else 1e4)


def test_phi_3_divides_the_angles_of_short_texts_by_less_than_those_of_long_ones() -> None:
    rope = config_of("microsoft/Phi-3-mini-128k-instruct").stack.looks[0].rope
    assert (rope.original, rope.factor) == (4_096, 32.0)
    assert rope.attention_factor == pytest.approx(1.1902380714238083)  # √(1 + ln 32 / ln 4096), Ding et al. 2024
    assert np.all(rope.frequencies(4_096)[3:] > rope.frequencies(4_097)[3:])


def test_llama_3_stretches_only_its_long_wavelengths() -> None:
    rope = config_of("meta-llama/Llama-3.2-1B").stack.looks[0].rope
    ratio = 5e5 ** (-np.arange(0, 64, 2) / 64) / rope.frequencies(1)
    assert ratio[0] == pytest.approx(1.0)
    assert ratio[-1] == pytest.approx(32.0)
    assert np.all(np.diff(ratio) >= -1e-4)


def test_the_table_covers_every_family_of_decoders() -> None:
    assert {entry["config"]["model_type"] for entry in PUBLISHED.values()} == set(DECODERS)
    assert set(DECODERS) <= set(FAMILIES)
