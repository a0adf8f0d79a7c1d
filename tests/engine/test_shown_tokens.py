"""What a reader sees of a token, whatever kind of tokenizer made it."""

from __future__ import annotations

import pytest

from attnviz.engine.tokenizer import Token, Tokenizer
from tests.golden.families_reader import TOKENIZERS

KINDS = sorted(path.stem for path in TOKENIZERS.glob("*.json"))
SUBWORDS = [kind for kind in KINDS if kind != "wordpiece"]  # the tiny WordPiece has no pieces for most words


def pieces(kind: str, text: str) -> list[Token]:
    tokens = Tokenizer.from_file(TOKENIZERS / f"{kind}.json").encode(text, None, 10_000).tokens
    return [token for token in tokens if not token.is_special]


@pytest.mark.parametrize("kind", SUBWORDS)
def test_the_shown_pieces_are_the_text_as_it_was_written(kind: str) -> None:
    text = "The animal didn't cross the Café, because it was tired."
    assert "".join(token.shown for token in pieces(kind, text)).replace("·", "") == text.replace(" ", "")


@pytest.mark.parametrize("kind", SUBWORDS)
def test_a_word_goes_on_up_to_the_next_blank_or_sign(kind: str) -> None:
    text = "extraordinary tick, extraordinary"
    tokens = [token for token in pieces(kind, text) if text[slice(*token.span)].strip()]
    at = {token.span[0] + (text[token.span[0]] == " "): token.continues for token in tokens}
    assert [at[text.index(word)] for word in ("extra", "tick", ",")] == [False] * 3
    inside = [goes_on for start, goes_on in at.items() if start and text[start - 1].isalpha() and text[start].isalpha()]
    assert inside
    assert all(inside)


@pytest.mark.parametrize("kind", [kind for kind in SUBWORDS if "unigram" not in kind])  # those give an unknown sign one token
def test_the_bytes_of_one_character_show_it_and_belong_together(kind: str) -> None:
    tokens = [token for token in pieces(kind, "東") if token.span and token.span[0] < token.span[1] and token.shown != "·"]
    assert len(tokens) > 1
    assert {token.shown for token in tokens} == {"東"}
    assert [token.continues for token in tokens] == [False] + [True] * (len(tokens) - 1)


@pytest.mark.parametrize("kind", KINDS)
def test_ideographs_each_stand_alone(kind: str) -> None:
    first_bytes = [token for token in pieces(kind, "你好") if token.span[0] == 1]
    assert not first_bytes[0].continues


@pytest.mark.parametrize("kind", ["bpe_gpt2", "bpe_llama3", "spm_llama", "spm_gemma"])
def test_blanks_and_line_breaks_alone_are_signs(kind: str) -> None:
    shown = [token.shown for token in pieces(kind, "it   \n was")]
    assert "".join(shown).replace("·", "") == "it¶was"
    assert "·" in "".join(shown)


@pytest.mark.parametrize("kind", KINDS)
def test_of_a_pair_each_token_knows_its_text_whatever_its_segment(kind: str) -> None:
    tokens = Tokenizer.from_file(TOKENIZERS / f"{kind}.json").encode("Why not?", "It was tired.", 10_000).tokens
    sequences = [token.sequence for token in tokens]
    assert sequences == sorted(sequences)
    for sequence, text in enumerate(("Why not?", "It was tired.")):
        mine = [token for token in tokens if token.sequence == sequence and not token.is_special]
        assert "".join(token.shown for token in mine if token.shown != "[UNK]").replace("·", "") in text.replace(" ", "")
        assert mine
