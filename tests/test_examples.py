"""The examples menu promises what to look for; the real model must show it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest

from attnviz.resources import read_json

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attnviz.engine.model import Model

EXAMPLES: Final[list[dict[str, Any]]] = read_json("examples.json")
KEYS: Final = {"id", "title", "text", "look", "layer", "heads", "focus", "claims"}
# "text" is the one key that may be left out: a weight in another text than the example's own.
CLAIM_KEYS: Final = {
    "weight": {"kind", "layer", "head", "query", "key", "weight"},
    "cosine": {"kind", "token", "other", "cosine"},
}
LONGEST_LOOK: Final = 120

CLAIMS: Final = [
    pytest.param(example, claim, id=f"{example['id']}-{number}")
    for example in EXAMPLES
    for number, claim in enumerate(example["claims"])
]
each_example = pytest.mark.parametrize("example", EXAMPLES, ids=[example["id"] for example in EXAMPLES])


@pytest.mark.parametrize(("example", "claim"), CLAIMS)
def test_each_claim_holds_on_the_real_model(minilm: Model, example: dict[str, Any], claim: dict[str, Any]) -> None:
    if claim["kind"] == "weight":
        trace = minilm.trace(claim.get("text", example["text"]))
        query, key = only(trace.tokens, claim["query"]), only(trace.tokens, claim["key"])
        assert round(float(trace.attention(claim["layer"])[claim["head"], query, key]), 2) == claim["weight"]
    else:
        here, there = (final_vector(minilm, text, claim["token"]) for text in (example["text"], claim["other"]))
        cosine = float(here @ there / np.linalg.norm(here) / np.linalg.norm(there))
        assert round(cosine, 2) == claim["cosine"]


@each_example
def test_each_number_in_look_is_claimed(example: dict[str, Any]) -> None:
    claimed = {f"{claim[claim['kind']]:.2f}" for claim in example["claims"]}
    said = re.findall(r"\d+\.\d+", example["look"])
    assert said
    assert set(said) <= claimed


@each_example
def test_look_points_at_what_the_example_draws(example: dict[str, Any]) -> None:
    named = re.findall(r"L(\d+)\.H(\d+)", example["look"])
    drawn = {(str(example["layer"]), str(head)) for head in example["heads"] or []}
    assert named
    assert set(named) <= drawn
    weights = [claim for claim in example["claims"] if claim["kind"] == "weight"]
    assert {(str(claim["layer"]), str(claim["head"])) for claim in weights} == set(named)


@each_example
def test_look_is_one_short_line(example: dict[str, Any]) -> None:
    assert 0 < len(example["look"]) <= LONGEST_LOOK
    assert example["look"].splitlines() == [example["look"]]


@each_example
def test_layer_heads_and_focus_exist_in_the_model(minilm: Model, example: dict[str, Any]) -> None:
    assert 0 <= example["layer"] < minilm.config.n_layer
    heads = example["heads"]
    assert heads is None or (heads and set(heads) <= set(range(minilm.config.n_head)))
    if example["focus"] is not None:
        only(minilm.trace(example["text"]).tokens, example["focus"])


@each_example
def test_an_example_has_exactly_the_known_keys(example: dict[str, Any]) -> None:
    assert set(example) == KEYS
    assert example["claims"]
    for claim in example["claims"]:
        assert set(claim) - {"text"} == CLAIM_KEYS[claim["kind"]]
        assert "text" not in claim or claim["kind"] == "weight"


def test_ids_titles_and_texts_are_unique() -> None:
    for key in ("id", "title", "text"):
        assert len({example[key] for example in EXAMPLES}) == len(EXAMPLES)


def test_a_fresh_start_draws_the_tired_animal() -> None:
    assert EXAMPLES[0]["text"] == "The animal didn't cross the street because it was tired."


def only(tokens: list[str], token: str) -> int:
    """Where `token` stands; it must stand there once, or the claim would not say which one it means."""
    assert tokens.count(token) == 1
    return tokens.index(token)


def final_vector(model: Model, text: str, token: str) -> NDArray[np.float64]:
    """The vector of `token` after the last layer."""
    trace = model.trace(text)
    return trace.hidden[only(trace.tokens, token)].astype(np.float64)
