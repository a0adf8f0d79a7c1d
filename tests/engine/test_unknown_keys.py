"""What a family does not know stops it: an unknown key, a tensor that is missing, left over or of a wrong shape, each by its name.

Walks the table of families, with the golden models as they are otherwise right.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from attnviz import load_model
from attnviz.engine.config_keys import ConfigKeys
from attnviz.engine.families import FAMILIES
from attnviz.errors import ModelError
from tests.golden.families_reader import CASES, read_about, weights, write_model, write_weights

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from attnviz.engine.config import ModelConfig

CONFIGS = {case: read_about(case)["config"] for case in CASES}
# One whole model of each family, the one with the most tensors: it has biases and output of its own where the family may.
ONE_OF_EACH = {
    family: max(
        (case for case in CASES if CONFIGS[case]["model_type"] == family),
        key=lambda case: len(read_about(case)["tensors"]),
        default="",
    )
    for family in FAMILIES
}
each_family = pytest.mark.parametrize("family", [family for family, case in ONE_OF_EACH.items() if case])
UNKNOWN = "attn_surprise_factor"
OPTIONAL = {"final_logits_bias"}  # added to BART's logits where it is there


def sentence_of(folder: Path) -> str:
    """What the model in the folder is refused with."""
    with pytest.raises(ModelError) as caught:
        load_model(folder)
    sentence = str(caught.value)
    assert len(sentence.splitlines()) == 1
    assert str(folder) in sentence
    return sentence


def reading(values: dict[str, Any]) -> ModelConfig:
    return FAMILIES[values["model_type"]].read_config(ConfigKeys(values, "config.json"))


@pytest.mark.parametrize("value", [None, False, 0, 1.5, "no", [], {}], ids=repr)
@pytest.mark.parametrize("case", CASES)
def test_an_unknown_key_is_refused_by_its_name_whatever_its_value(case: str, value: object) -> None:
    reading(CONFIGS[case])
    with pytest.raises(ModelError, match=f'"{UNKNOWN}"'):
        reading({**CONFIGS[case], UNKNOWN: value})


def nested(values: dict[str, Any]) -> list[tuple[str, ...]]:
    """The ways to the objects inside a configuration that a family reads: those of rotary positions."""
    top = [(name,) for name in ("rope_parameters", "rope_scaling") if isinstance(values.get(name), dict)]
    deeper = [(*way, kind) for way in top for kind, part in values[way[0]].items() if isinstance(part, dict)]
    return deeper or top


@pytest.mark.parametrize(("case", "way"), [(case, way) for case in CASES for way in nested(CONFIGS[case])])
def test_an_unknown_key_among_those_of_rotary_positions_is_refused_by_its_name_and_place(case: str, way: tuple[str, ...]) -> None:
    values = json.loads(json.dumps(CONFIGS[case]))
    part = values
    for name in way:
        part = part[name]
    part[UNKNOWN] = 1
    with pytest.raises(ModelError, match=f'in "{way[-1]}": .*"{UNKNOWN}"'):
        reading(values)


def spoiled(folder: Path, tensors: dict[str, NDArray[Any]]) -> Path:
    """The folder with other weights."""
    write_weights(tensors, folder)
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {family: write_model(case, tmp_path_factory.mktemp(family)) for family, case in ONE_OF_EACH.items() if case}


@each_family
def test_each_missing_tensor_is_named(family: str, folders: dict[str, Path]) -> None:
    tensors = weights(ONE_OF_EACH[family])
    needed = [name for name in tensors if not FAMILIES[family].known.search(name) and name not in OPTIONAL]
    assert len(needed) > len(tensors) / 2
    for gone in needed:
        rest = {name: tensor for name, tensor in tensors.items() if name != gone}
        assert f'tensor "{gone}" is missing' in sentence_of(spoiled(folders[family], rest))


@each_family
def test_each_tensor_of_a_wrong_shape_is_named_with_both_shapes(family: str, folders: dict[str, Path]) -> None:
    tensors = weights(ONE_OF_EACH[family])
    for name in [name for name in tensors if not FAMILIES[family].known.search(name)]:
        shape = list(tensors[name].shape)
        wider = np.concatenate([tensors[name], tensors[name][..., :1]], axis=-1)
        sentence = sentence_of(spoiled(folders[family], {**tensors, name: wider}))
        assert f'tensor "{name}" is {[*shape[:-1], shape[-1] + 1]}' in sentence
        assert f"the configuration says {shape};" in sentence


@each_family
@pytest.mark.parametrize("place", ["", "beside"])
def test_a_tensor_that_a_family_does_not_have_is_named(family: str, place: str, folders: dict[str, Path]) -> None:
    tensors = weights(ONE_OF_EACH[family])
    inside = next(name for name in sorted(tensors) if not FAMILIES[family].known.search(name))
    extra = "surprise.weight" if not place else f"{inside}_surprise"
    folder = spoiled(folders[family], {**tensors, extra: np.zeros(3, np.float32)})
    assert f'"{extra}"' in sentence_of(folder)


@each_family
def test_a_layer_more_than_the_configuration_says_is_named(family: str, folders: dict[str, Path]) -> None:
    tensors = weights(ONE_OF_EACH[family])
    first = next(name for name in sorted(tensors) if ".0." in name and not FAMILIES[family].known.search(name))
    extra = first.replace(".0.", ".99.", 1)
    assert f'"{extra}"' in sentence_of(spoiled(folders[family], {**tensors, extra: tensors[first]}))
