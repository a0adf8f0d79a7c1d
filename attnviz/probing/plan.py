"""What a model is asked over a corpus: all texts with their questions, in the order in which they are read."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from attnviz.corpus.opening import bundled_corpus
from attnviz.errors import InputError
from attnviz.probing.asking import ask
from attnviz.probing.generated import NEEDLE_WORDS, needles, repeated, token_pool
from attnviz.probing.guesses import frequent_words
from attnviz.probing.links import LeftOut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.corpus.corpus import Corpus, Sentence
    from attnviz.engine.model import Model
    from attnviz.engine.tokenizer import Encoding
    from attnviz.probing.cases import Asked

# Tokens that are read in one run. On one thread MiniLM takes 5.7 s of processor time for the bundled corpus with 128, 4.8 with 256,
# 4.5 with 512 and 4.2 with 1,024; a model of BERT-large's size takes 11.7, 9.5, 9.1 and 8.9 for an eighth of it. Runs of more than
# 512 gain little, take more memory, deal out worse among many processors and lose more when they are called off.
PACK_TOKENS: Final = 512
# What changes when the numbers of an unchanged plan would be others.
VERSION: Final = 1


@dataclass(frozen=True)
class Plan:
    """texts: the sentences that the model can be asked, shorter ones first, then the generated texts; packs: their numbers, as many
    as are read in one run; left_out: what could not be asked; too_long: sentences beyond what the model reads."""

    corpus: Corpus
    texts: tuple[Asked, ...]
    packs: tuple[tuple[int, ...], ...]
    left_out: LeftOut = field(default_factory=LeftOut)
    too_long: tuple[str, ...] = ()

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of all that the numbers depend on besides the weights: tokens, words, questions, what is read together."""
        told = sha256(f"{VERSION}|{self.packs}".encode())
        for text in self.texts:
            aligned = text.aligned and (text.aligned.first, text.aligned.groups)
            told.update(f"{text.id}|{text.encoding.ids.tolist()}|{text.predicted}|{text.is_blocked}|{aligned}".encode())
            for question in text.questions:
                kind = question.measure, question.way, question.level, question.has_self
                told.update(f"{kind}|{question.queries.tolist()}|{question.targets.shape}".encode())
                told.update(question.targets.tobytes())
                if question.rivals is not None:
                    told.update(question.rivals.tobytes())
        return told.hexdigest()


def plan_for(model: Model, corpus: Corpus) -> Plan:
    """The texts that `model` is asked. Raises InputError for a corpus of which it can read nothing."""
    config = model.config
    is_causal, limit = config.stack.looks[0].is_causal, config.n_position
    left_out, too_long = LeftOut(), []
    groups, partners = _groups(corpus)
    frequent = frequent_words(corpus)
    texts = []
    for number, sentence in enumerate(corpus.sentences):
        encoding = _encode(model, sentence, limit)
        if encoding is None:
            too_long.append(sentence.id)
            continue
        group = groups[number]
        asked = ask(number, group, group % 2, corpus, frequent, encoding, is_causal, partners[number], left_out)
        if asked.questions:
            texts.append(asked)
    if not texts:
        raise InputError(f"{corpus.path or corpus.name}: {model.name} can read none of its sentences; use another corpus.")
    texts.sort(key=lambda text: (text.n_token, text.sentence))
    texts += _generated(model, tokenizer_frame=texts[0].encoding, first_group=len(corpus.sentences))
    return Plan(corpus, tuple(texts), packs_of([text.n_token for text in texts]), left_out, tuple(too_long))


def _encode(model: Model, sentence: Sentence, limit: int) -> Encoding | None:
    """The tokens of a sentence; None if the model does not read all of it."""
    encoding = model.tokenizer.encode(sentence.text, None, limit)
    known = [token for token in encoding.tokens if token.id < model.config.n_vocab]
    return None if encoding.left_out or len(known) < len(encoding.tokens) else encoding


def _groups(corpus: Corpus) -> tuple[list[int], list[int | None]]:
    """Of each sentence the number of its group, one for partners and for equal texts, and the number of its partner."""
    places = {sentence.id: number for number, sentence in enumerate(corpus.sentences)}
    partners = [None if sentence.partner is None else places[sentence.partner] for sentence in corpus.sentences]
    groups: list[int] = []
    by_text: dict[str, int] = {}
    n = 0
    for number, (sentence, partner) in enumerate(zip(corpus.sentences, partners, strict=True)):
        like = by_text.get(sentence.text) if partner is None or partner > number else groups[partner]
        groups.append(n if like is None else like)
        n += like is None
        by_text.setdefault(sentence.text, groups[number])
    return groups, partners


def _generated(model: Model, tokenizer_frame: Encoding, first_group: int) -> list[Asked]:
    """Random tokens repeated, and for models that write something to be found again."""
    config, bundled = model.config, bundled_corpus()
    is_causal = config.stack.looks[0].is_causal
    encodings = [
        encoding for sentence in bundled.sentences if (encoding := _encode(model, sentence, config.n_position)) is not None
    ]
    pool = token_pool(encodings)
    texts = repeated(pool, tokenizer_frame, is_causal, config.n_position, first_group)
    if model.writes and is_causal:
        plain = [sentence.text for sentence in bundled.sentences if sentence.id.startswith("general")]
        words = sorted({token.shown.strip().lower() for token in pool})
        if plain and len(words) > NEEDLE_WORDS:
            said = needles(model.tokenizer, plain, words, config.n_position, first_group + len(texts))
            texts += [text for text in said if text.encoding.ids.max() < config.n_vocab]
    return texts


def packs_of(lengths: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """Texts that are read together, in their order: as many as fit PACK_TOKENS, at least one."""
    packs: list[list[int]] = [[]]
    taken = 0
    for number, length in enumerate(lengths):
        if packs[-1] and taken + length > PACK_TOKENS:
            packs.append([])
            taken = 0
        packs[-1].append(number)
        taken += length
    return tuple(tuple(pack) for pack in packs if pack)
