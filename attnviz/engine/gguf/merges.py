"""The merges of a byte pair encoding: which two pieces make a third, the most urgent first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.engine.config_keys import short
from attnviz.engine.gguf.tokenizer_keys import PREFIX
from attnviz.engine.gguf.vocabulary import Kind

if TYPE_CHECKING:
    from attnviz.engine.gguf.vocabulary import Vocabulary

Merges = list[tuple[str, str]]

# Gemma's 262,144 pieces can be cut in 1.8 million places. The limits keep an absurd list from taking minutes.
_LONGEST_PIECE: Final = 512
_MOST_CUTS: Final = 10_000_000


def listed_merges(vocabulary: Vocabulary) -> Merges:
    """The merges that the file lists, each once. Raises ModelError for one whose pieces the vocabulary lacks."""
    return [_pair(vocabulary, line) for line in dict.fromkeys(vocabulary.keys.words("merges"))]


def _pair(vocabulary: Vocabulary, line: str) -> tuple[str, str]:
    # llama.cpp looks for the blank from the second character on: a piece may begin with one.
    cut = line.find(" ", 1)
    left, right = line[:cut], line[cut + 1 :]
    if cut < 0 or not right:
        raise vocabulary.keys.refuse(f'"{PREFIX}merges" has {short(line)}, expected two pieces and a blank; get the file again')
    for piece in (left, right, left + right):
        if piece not in vocabulary.numbers:
            raise vocabulary.keys.refuse(
                f'"{PREFIX}merges" has {short(line)}, and {short(piece)} is none of the tokens; get the file again'
            )
    return left, right


def derived_merges(vocabulary: Vocabulary) -> Merges:
    """The merges of a SentencePiece model, which has none but scores its pieces: two pieces make a third whenever there is
    one, that with the highest score first.

    Of one piece the cut with the longer left part goes first; equal scores go by number, which is the order of training.
    Raises ModelError for pieces of an absurd length.
    Source: SentencePiece's bpe_model.cc (the pair with the best score is merged); generate_merges of transformers.
    """
    normal = vocabulary.of_kind(Kind.NORMAL)
    pieces = [vocabulary.pieces[number] for number in normal[np.argsort(-vocabulary.scores[normal], kind="stable")]]
    longest = max(map(len, pieces), default=0)
    if longest > _LONGEST_PIECE or sum(map(len, pieces)) > _MOST_CUTS:
        raise vocabulary.keys.refuse(
            f'"{PREFIX}tokens" has {len(pieces):,} pieces of up to {longest:,} characters, which is no vocabulary; get it again'
        )
    known = set(pieces)
    return [
        (left, right)
        for piece in pieces
        for cut in range(len(piece) - 1, 0, -1)
        if (left := piece[:cut]) in known and (right := piece[cut:]) in known
    ]
