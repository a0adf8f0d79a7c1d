"""The questions to a sentence of a corpus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attnviz.probing.aligned import align
from attnviz.probing.cases import Asked
from attnviz.probing.guesses import units_of
from attnviz.probing.links import mention_questions, pair_questions
from attnviz.probing.places import allowed_keys, neighbour_questions, offset_questions, rare_question, rest_questions

if TYPE_CHECKING:
    from collections.abc import Collection

    from attnviz.corpus.corpus import Corpus
    from attnviz.engine.tokenizer import Encoding
    from attnviz.probing.links import LeftOut


def ask(
    number: int,
    group: int,
    half: int,
    corpus: Corpus,
    frequent: Collection[str],
    encoding: Encoding,
    is_causal: bool,
    partner: int | None,
    left_out: LeftOut,
) -> Asked:
    """The questions to sentence `number`: places, relations, mentions, rests. What cannot be asked is added to `left_out`.

    frequent: the corpus' frequent words and signs, in small letters.
    """
    sentence = corpus.sentences[number]
    aligned = align(sentence, encoding)
    n, first = aligned.n_token, aligned.first
    is_blocked = is_causal and first == 0
    allowed = allowed_keys(len(aligned.groups), is_causal, is_blocked, has_self=False)
    units = units_of(sentence, aligned, encoding, allowed, frequent)
    questions = [
        *neighbour_questions(encoding, first, n, is_causal),
        *offset_questions(n, is_causal, is_blocked),
        *rest_questions(encoding, is_causal),
        *pair_questions(sentence, aligned, corpus, units, left_out),
        *mention_questions(sentence, aligned, units, left_out),
        rare_question(encoding, first, n, is_causal, is_blocked),
    ]
    asked = tuple(question for question in questions if question is not None and question.n)
    return Asked(sentence.id, group, half, encoding, aligned, asked, is_blocked, number, (), partner)
