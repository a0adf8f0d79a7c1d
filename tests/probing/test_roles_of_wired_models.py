"""Heads whose job is known, because it was wired by hand, get just that role; heads without one get none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.probing.wired import Duplicate, First, Induction, Next, Offset, Pairs, Previous, Random, Same, Uniform

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.corpus.corpus import Corpus
    from attnviz.probing.roles import HeadRoles

N_SEED = 20


def jobs(roles: HeadRoles) -> list[list[set[str]]]:
    """The keys of the roles of each head, [layer][head]."""
    return [
        [{role.measure.key for role in roles.roles(layer, head)} for head in range(roles.n_head)] for layer in range(roles.n_layer)
    ]


def test_heads_of_a_causal_model_get_the_roles_they_were_wired_for(measured: Callable[..., HeadRoles]) -> None:
    heads = [[Previous(), Offset(-3), Uniform(), First()], [Induction(), Duplicate(), Same(), Offset(-2)]]
    found = jobs(measured(heads, causal=True))
    # A head that finds no copy in a sentence rests on the first token, which is so of any induction head.
    assert found == [
        [{"previous"}, {"offset-3"}, set(), {"first"}],
        [{"induction", "first"}, {"duplicate", "first"}, {"same"}, {"offset-2"}],
    ]


def test_heads_of_a_bidirectional_model_get_the_roles_they_were_wired_for(measured: Callable[..., HeadRoles]) -> None:
    heads = [[Previous(), Next(), Offset(2), Uniform()], [Same(), First(), Duplicate(), Offset(-5)]]
    found = jobs(measured(heads, causal=False))
    assert found == [[{"previous"}, {"next"}, {"offset+2"}, set()], [{"same"}, {"first"}, {"duplicate", "first"}, {"offset-5"}]]


@pytest.mark.parametrize("causal", [True, False])
def test_random_heads_get_no_role_over_twenty_seeds(measured: Callable[..., HeadRoles], causal: bool) -> None:
    half = N_SEED // 2
    heads = [[Random(seed) for seed in range(half)], [Random(seed) for seed in range(half, N_SEED)]]
    found = jobs(measured(heads, causal))
    false_positives = [(layer, head, keys) for layer, row in enumerate(found) for head, keys in enumerate(row) if keys]
    assert false_positives == []


@pytest.mark.parametrize("by", ["word", "place"])
def test_heads_that_look_at_random_words_or_places_get_no_role(measured: Callable[..., HeadRoles], by: str) -> None:
    heads = [[Random(seed, by=by, spread=3.0) for seed in range(10)], [Random(seed, by=by, spread=3.0) for seed in range(10, 20)]]
    assert [keys for row in jobs(measured(heads, causal=False)) for keys in row if keys] == []


def test_a_head_that_knows_the_pairs_of_a_relation_gets_that_role(measured: Callable[..., HeadRoles], some_corpus: Corpus) -> None:
    table: dict[str, list[str]] = {}
    for sentence in some_corpus.sentences:
        for pair in sentence.pairs:
            if pair.relation == "obj":
                table.setdefault(sentence.words[pair.first].lower(), []).append(sentence.words[pair.second].lower())
    table = {
        word: sorted(set(others)) for word, others in table.items() if word.isalpha() and all(other.isalpha() for other in others)
    }
    roles = measured([[Pairs(table), Uniform()]], causal=False)
    role = next(role for role in roles.roles(0, 0) if role.measure.group == "grammar")
    assert role.measure.key == "obj>"
    assert role.score > 0.7
    assert roles.roles(0, 1) == ()
