"""The texts of a plan as somebody would type them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attnviz.engine.tokenizer import BLANK_SIGNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.engine.model import Model
    from attnviz.engine.tokenizer import Token
    from attnviz.probing.plan import Plan

# How byte-level and SentencePiece vocabularies begin what follows a blank.
_BLANKS: Final = ("Ġ", "▁", " ")


def typed_text(model: Model, plan: Plan, number: int) -> str | None:
    """The text of that number in a plan: its sentence's, or a generated one's made of its tokens; None where nothing that can be
    typed gives these tokens, as byte-level tokens drawn by chance may be."""
    asked = plan.texts[number]
    if asked.sentence is not None:
        return plan.corpus.sentences[asked.sentence].text
    text = _joined([token for token in asked.encoding.tokens if not token.is_special])
    again = model.tokenizer.encode(text, None, model.config.n_position)
    return text if again.ids.tolist() == asked.encoding.ids.tolist() else None


def asked_token(plan: Plan, number: int, key: str) -> int:
    """The place among the tokens of a text of the first that is asked about by a measure."""
    asked = plan.texts[number]
    key = "prefers" if key == "flips" else key  # which asks both of two sentences the same
    question = next(question for question in asked.questions if question.measure == key)
    first = int(question.queries[0])
    if question.level == "all" or asked.aligned is None:
        return first
    return asked.aligned.first + (first if question.level == "token" else asked.aligned.groups[first].start)


def _joined(tokens: Sequence[Token]) -> str:
    """Tokens as a text. Blanks are parts of tokens in some vocabularies and of none in others; where all tokens have a place in the
    text that they came from, these say how many there are."""
    if all(token.span is not None for token in tokens):
        text = [" "] * max(token.span[1] for token in tokens)
        for token in tokens:
            piece = token.shown.strip(f" {BLANK_SIGNS}")
            text[token.span[1] - len(piece) : token.span[1]] = piece
        return "".join(text)
    holds_blanks = any(token.text.startswith(_BLANKS) for token in tokens)
    pieces = [token.shown.strip(f" {BLANK_SIGNS}") for token in tokens]
    if not holds_blanks:
        return " ".join(pieces)
    return "".join(f" {piece}" if token.text.startswith(_BLANKS) else piece for token, piece in zip(tokens, pieces, strict=True))
