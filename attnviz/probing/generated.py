"""Texts made by chance: random tokens repeated, and something said once that is to be found again.

They are the same for a model whatever corpus it is measured on: their tokens are drawn from those of the bundled one, so that
they are ones that the model knows, with a seed that never changes.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.probing.cases import Asked, Question, offset_hits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from attnviz.engine.tokenizer import Encoding, Token, Tokenizer

SEED: Final = 20_220_208
# Draws, each with another number of tokens, so that no fixed offset finds the copies; each is repeated so often.
LENGTHS: Final = (11, 13, 15, 17, 18, 20, 22, 24, 26, 28)
REPEATS: Final = 4
# Of the corpus' tokens, those that are left out as the most frequent: they are function words and signs, which models treat apart.
_MOST_FREQUENT: Final = 50
NEEDLES: Final = 20
_HAYSTACK: Final = 8
NEEDLE_WORDS: Final = 4


def token_pool(encodings: Sequence[Encoding]) -> list[Token]:
    """The tokens that random texts are drawn from: those of some sentences that begin a word, without specials, numbers and the
    most frequent ones, in the order of their numbers."""
    counts = Counter(token.id for encoding in encodings for token in encoding.tokens if not token.is_special)
    frequent = {number for number, _ in counts.most_common(_MOST_FREQUENT)} if len(counts) > 2 * _MOST_FREQUENT else set()
    found = {
        token.id: token
        for encoding in encodings
        for token in encoding.tokens
        if not token.is_special and not token.continues and token.id not in frequent and token.shown.strip().isalpha()
    }
    return [found[number] for number in sorted(found)]


def repeated(pool: Sequence[Token], frame: Encoding, is_causal: bool, limit: int, first_group: int) -> list[Asked]:
    """Random tokens repeated REPEATS times, asked for copies and, of a causal model, for what followed them.

    frame: any text as the tokenizer makes it, whose specials are put around; limit: the tokens that the model reads.
    Source: Olsson et al. 2022, "prefix matching", with draws of several lengths.
    """
    before, after = specials_around(frame)
    rng, texts = np.random.default_rng(SEED), []
    for draw, length in enumerate(LENGTHS):
        length = min(length, len(pool))
        drawn = [pool[at] for at in rng.choice(len(pool), length, replace=False)]
        tokens = [*before, *(replace(token, span=None) for token in drawn * REPEATS), *after]
        if length < 2 or len(tokens) > limit:
            continue
        questions = _copy_questions(np.array([token.id for token in tokens]), len(before), length * REPEATS, is_causal)
        encoding = type(frame)(tuple(tokens), 0)
        texts.append(Asked(f"random-{draw:02d}", first_group + draw, draw % 2, encoding, None, tuple(questions)))
    return texts


def _copy_questions(ids: NDArray[np.int64], first: int, n: int, is_causal: bool) -> list[Question]:
    total, places = len(ids), np.arange(first, first + n)
    is_text = (np.arange(total) >= first) & (np.arange(total) < first + n)
    copies = (ids[places][:, None] == ids) & is_text & (np.arange(total) != places[:, None])
    if is_causal:
        copies &= np.arange(total) < places[:, None]
    visible = places + 1.0 if is_causal else np.full(n, float(total))
    questions = [_weight_question("duplicate", places, copies, visible)]
    if is_causal:
        followed = np.zeros_like(copies)
        followed[:, 1:] = copies[:, :-1]
        questions.append(_weight_question("induction", places, followed, visible))
    return questions


def _weight_question(measure: str, places: NDArray[np.intp], targets: NDArray[np.bool_], visible: NDArray[np.float64]) -> Question:
    asked = targets.any(axis=1)
    even = float((targets[asked].sum(axis=1) / visible[asked]).sum())
    hits = offset_hits(places[asked], targets[asked])
    return Question(measure, "weight", "all", places[asked], targets[asked], {"even attention": even}, hits)


def needles(tokenizer: Tokenizer, sentences: Sequence[str], words: Sequence[str], limit: int, first_group: int) -> list[Asked]:
    """Sentences among which one says something that the end asks for again; for models that write.

    words: single words that the secrets are drawn from. Source: Wu et al. 2024, section 2, with the answer given token by token.
    """
    rng, texts = np.random.default_rng(SEED + 1), []
    for draw in range(NEEDLES):
        hay = [sentences[at] for at in rng.choice(len(sentences), min(_HAYSTACK, len(sentences)), replace=False)]
        name, *secret = (words[at] for at in rng.choice(len(words), NEEDLE_WORDS + 1, replace=False))
        at = int(rng.integers(0, len(hay)))
        asks = f"The secret words of the {name} are"
        text = " ".join([*hay[:at], f"{asks} {' '.join(secret)}.", *hay[at:], f"{asks} {' '.join(secret)}"])
        encoding = tokenizer.encode(text, None, limit)
        if encoding.left_out:
            continue
        asked = _needle(f"needle-{draw:02d}", first_group + draw, draw % 2, encoding, text, f"{asks} {' '.join(secret)}", len(asks))
        if asked is not None:
            texts.append(asked)
    return texts


def _needle(name: str, group: int, half: int, encoding: Encoding, text: str, needle: str, asks: int) -> Asked | None:
    """The question to one such text; None where the tokenizer makes other tokens of the secret at its two places."""
    said, again = text.index(needle), text.rindex(needle)
    first, second = (_tokens_in(encoding, start + asks, start + len(needle)) for start in (said, again))
    ids = encoding.ids
    if not first or len(first) != len(second) or any(ids[a] != ids[b] for a, b in zip(first, second, strict=True)):
        return None
    queries = np.array([at - 1 for at in second], np.intp)
    targets = np.zeros((len(queries), len(ids)), bool)
    targets[np.arange(len(queries)), first] = True
    chance = float((1 / (queries + 1)).sum())
    question = Question(
        "retrieval", "said", "all", queries, targets, {"chance": chance}, offset_hits(queries, targets), has_self=True
    )
    predicted = tuple((at - 1, int(ids[at])) for at in second)
    return Asked(name, group, half, encoding, None, (question,), predicted=predicted)


def _tokens_in(encoding: Encoding, start: int, stop: int) -> list[int]:
    return [at for at, token in enumerate(encoding.tokens) if token.span and start < token.span[1] and token.span[0] < stop]


def specials_around(frame: Encoding) -> tuple[tuple[Token, ...], tuple[Token, ...]]:
    """The specials before and behind the text."""
    text = [at for at, token in enumerate(frame.tokens) if not token.is_special]
    return frame.tokens[: text[0]], frame.tokens[text[-1] + 1 :]
