"""The configurations of well-known encoders and encoder-decoders, as they are published, are read to the last key.

`golden/published/encoders.json` holds the keys and values of each model's config.json on the Hugging Face Hub, and what they
mean: sizes and choices that a reader of the model's paper or card would name.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from attnviz.engine.config_keys import ConfigKeys
from attnviz.engine.families import family_of
from attnviz.errors import ModelError

if TYPE_CHECKING:
    from attnviz.engine.config import ModelConfig, Stack

PUBLISHED: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "golden" / "published" / "encoders.json").read_text(encoding="utf-8")
)
RUN = [name for name, entry in PUBLISHED.items() if "expected" in entry]
REFUSED = [name for name in PUBLISHED if name not in RUN]


def read(values: dict[str, Any]) -> ModelConfig:
    return family_of(values, "config.json").read_config(ConfigKeys(values, "config.json"))


def meant(config: ModelConfig, name: str) -> Any:
    """What the configuration says under a name of the table: a field of the model, of its layers, or of all looks at once."""
    match name:
        case "reaches":
            return [look.reach for look in config.stack.looks]
        case "bases":
            return [look.rope.base for look in config.stack.looks]
    return getattr(config, name) if hasattr(config, name) else getattr(config.stack, name)


def assert_decoder(decoder: Stack | None, wanted: dict[str, Any] | None) -> None:
    assert (decoder is None) == (wanted is None)
    for name, value in (wanted or {}).items():
        assert getattr(decoder, name) == value
    if decoder is not None:
        assert decoder.has_cross
        assert all(look.is_causal for look in decoder.looks)


@pytest.mark.parametrize("name", RUN)
def test_a_published_configuration_is_read_as_its_model_card_says(name: str) -> None:
    entry = PUBLISHED[name]
    config = read(entry["config"])
    wanted = dict(entry["expected"])
    assert_decoder(config.decoder, wanted.pop("decoder", None))
    assert {key: meant(config, key) for key in wanted} == wanted
    assert not any(look.is_causal for look in config.stack.looks)
    assert len(config.stack.looks) == config.n_layer


@pytest.mark.parametrize("name", RUN)
def test_a_published_configuration_without_one_of_its_sizes_is_refused_by_that_key(name: str) -> None:
    values = PUBLISHED[name]["config"]
    sizes = {"vocab_size", "hidden_size", "num_hidden_layers", "dim", "n_layers", "d_model", "d_kv", "num_layers", "encoder_layers"}
    for key in sizes & set(values):
        if key == "num_hidden_layers" and "encoder_layers" in values:
            continue  # BART repeats the encoder's layers under that name
        with pytest.raises(ModelError, match=f'"{key}" is missing'):
            read({other: value for other, value in values.items() if other != key})


@pytest.mark.parametrize("name", REFUSED)
def test_a_family_that_does_not_run_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(ModelError, match=f"'{PUBLISHED[name]['refused']}'"):
        read(PUBLISHED[name]["config"])


def test_the_table_covers_every_family_of_encoders_and_encoder_decoders() -> None:
    families = "bert distilbert roberta xlm-roberta camembert albert electra modernbert t5 bart marian".split()
    assert {PUBLISHED[name]["config"]["model_type"] for name in RUN} == set(families)
