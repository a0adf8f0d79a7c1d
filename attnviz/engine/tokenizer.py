"""Text to tokens, through the `tokenizers` library."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import category

import numpy as np

from attnviz.engine.soundness import sound
from attnviz.errors import InputError, ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import tokenizers
    from numpy.typing import NDArray

# A novel's chapter. The longest text that a model reads is far shorter, and a stray megabyte would only stall the tokenizer.
TEXT_LIMIT = 100_000
_FILE_LIMIT = 500 << 20  # bytes; the largest vocabularies in use take some 40 MB
# How a token of nothing but blanks is shown, written or as byte-level and SentencePiece vocabularies spell it.
BLANK_SIGNS = "·¶"
# How masked language models' vocabularies spell the token that they fill in: BERT's and its like, RoBERTa's and its like.
MASKS = ("[MASK]", "<mask>")
_CONTEXT = 8  # tokens that are decoded together with a new one, at the least
_BLANKS = str.maketrans(
    {" ": "·", "\t": "·", "\u00a0": "·", "Ġ": "·", "ĉ": "·", "▁": "·", "\n": "¶", "\r": "¶", "Ċ": "¶", "č": "¶"}
)
# Thai, Lao, Burmese, Khmer, kana and ideographs, by their blocks in Unicode.
_SCRIPTS_WITHOUT_BLANKS = re.compile(
    r"[\u0E00-\u0EFF\u1000-\u109F\u1780-\u17FF\u3040-\u30FF\u3400-\u9FFF\uF900-\uFAFF\U00020000-\U0003FFFF]"
)


@dataclass(frozen=True)
class Token:
    """One piece the tokenizer made.

    text: as the tokenizer spells it ("##ing"); shown: as a reader expects it ("ing", with the capitals of the input);
    span: where it stands in its text, in characters, None for specials; sequence: 0 for the text, 1 for its pair;
    is_special: added by the tokenizer, not written by the user; continues: a further piece of the word before it;
    segment: what models with segments are told of it, 0 or 1; other tokenizers say 0 for both texts.
    """

    id: int
    text: str
    shown: str
    span: tuple[int, int] | None
    sequence: int
    is_special: bool
    continues: bool
    segment: int = 0


@dataclass(frozen=True)
class Encoding:
    """The tokens of one text (and its pair); left_out: tokens cut off because the model reads no more."""

    tokens: tuple[Token, ...]
    left_out: int

    @cached_property
    def ids(self) -> NDArray[np.int64]:
        """Vocabulary numbers, [token]."""
        return np.array([token.id for token in self.tokens], dtype=np.int64)

    @cached_property
    def segments(self) -> NDArray[np.int64]:
        """0 for the text and its specials, 1 for the pair and its closing special, [token]."""
        return np.array([token.segment for token in self.tokens], dtype=np.int64)


class Tokenizer:
    """A model's own tokenizer, without the padding and truncation that a tokenizer.json may carry."""

    def __init__(self, tokenizer: tokenizers.Tokenizer, where: str) -> None:
        """where: the file it comes from, for messages. Raises ModelError for one that cannot read a single letter."""
        self._tokenizer = tokenizer
        self._where = where
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._unknown = _unknown_token(self._tokenizer)
        self.encode("a", None, 1 << 31)

    @classmethod
    def from_file(cls, path: Path) -> Tokenizer:
        """The tokenizer of a tokenizer.json. Raises ModelError if the file is none."""
        import tokenizers

        if path.stat().st_size > _FILE_LIMIT:
            raise ModelError(f"{path}: {path.stat().st_size:,} bytes is no tokenizer; get the model's files again.")
        with sound(str(path)):
            tokenizer = tokenizers.Tokenizer.from_file(str(path))
        return cls(tokenizer, str(path))

    @cached_property
    def n_vocab(self) -> int:
        """One more than the largest number of an entry of the vocabulary; tokens added later may lie beyond."""
        return max(self._tokenizer.get_vocab(with_added_tokens=False).values(), default=-1) + 1

    def encode_begun(self, text: str, start: int, limit: int) -> Encoding:
        """The tokens a decoder reads while it writes `text`: the token number `start`, then those of the text with their specials
        but the closing one, cut to at most `limit`. That is what transformers makes of labels (shift to the right)."""
        encoding = self.encode(text, None, limit)
        tokens = encoding.tokens
        if tokens and tokens[-1].is_special:
            tokens = tokens[:-1]
        left_out = encoding.left_out + max(0, len(tokens) + 1 - limit)
        spelled = self._tokenizer.id_to_token(start) or f"<{start}>"
        begun = Token(start, spelled, spelled, None, 0, True, False)
        return Encoding((begun, *tokens[: limit - 1]), left_out)

    @cached_property
    def mask(self) -> str | None:
        """How the token that masked language models fill in is written in a text; None if the vocabulary has none."""
        for written in MASKS:
            number = self._tokenizer.token_to_id(written)
            if number is not None and self._tokenizer.encode(written, add_special_tokens=False).ids == [number]:
                return written
        return None

    def number(self, spelled: str) -> int | None:
        """The number of the token that is spelled so; None if there is none."""
        return self._tokenizer.token_to_id(spelled)

    def shown(self, number: int) -> str:
        """A token by its number, as a reader expects it; a WordPiece that goes on with a word keeps its "##"."""
        spelled = self._tokenizer.id_to_token(number)
        if spelled is None:
            return f"<{number}>"
        decoded = self._tokenizer.decode([number], skip_special_tokens=False)
        return spelled if spelled.startswith("##") or decoded.strip("\ufffd ") == "" else _shown(spelled, decoded)

    def read_on(self, encoding: Encoding, text: str, numbers: Sequence[int], limit: int) -> tuple[Encoding, str]:
        """The tokens of a text with those of `numbers` behind them, and the text that they all stand for.

        A number that the vocabulary does not spell, as large models have some, stands for nothing. Raises InputError if all are
        more than `limit`.
        """
        tokens = list(encoding.tokens)
        if encoding.left_out or len(tokens) + len(numbers) > limit:
            raise InputError(f"The model reads {limit:,} tokens at most, and its text is as long; shorten the text to go on.")
        # What the tokens before stand for decides how a token is written: blanks at the beginning of a text fall away.
        context, before = self._last_decoded([token.id for token in tokens if not token.is_special])
        end_before = len(text)
        for number in numbers:
            spelled = self._tokenizer.id_to_token(int(number)) or f"<{number}>"
            context.append(int(number))
            after = self._tokenizer.decode(context, skip_special_tokens=False)
            piece = _further(before, after)
            if piece:
                before = after
            start = len(text) + len(piece) - len(piece.lstrip()) if piece.strip() else len(text)
            text += piece
            continues = bool(piece) and _is_inside_a_word(text, start, end_before)
            span = (start, len(text))
            tokens.append(Token(int(number), spelled, _shown(spelled, piece), span, 0, False, continues))
            end_before = len(text)
        return Encoding(tuple(tokens), encoding.left_out), text

    def _last_decoded(self, numbers: list[int]) -> tuple[list[int], str]:
        """Some of the last tokens, and what they stand for: from the beginning of a character on."""
        n = _CONTEXT
        while True:
            decoded = self._tokenizer.decode(numbers[-n:], skip_special_tokens=False)
            if n >= len(numbers) or not decoded.startswith("\ufffd"):
                return numbers[-n:], decoded
            n *= 2

    def encode(self, text: str, pair: str | None, limit: int) -> Encoding:
        """The tokens of `text` (and `pair`), cut to at most `limit` of them; the specials are always kept.

        Raises InputError for a text of more than TEXT_LIMIT characters, or if not even the specials fit.
        """
        texts = [readable(part) for part in ([text] if pair is None else [text, pair])]
        with sound(self._where):
            parts = [self._tokenizer.encode(part, add_special_tokens=False) for part in texts]
        room = limit - self._tokenizer.num_special_tokens_to_add(pair is not None)
        if room < 0:
            raise InputError(f"The model reads {limit} tokens, too few for {'two texts' if pair is not None else 'a text'}.")
        left_out = _cut(parts, room)
        # Which text a token is of, and where it stands. The library's own sequence_ids lose the first text of a pair that is put
        # together here, and its offsets are trimmed a second time where the tokenizer trims them (RoBERTa's does).
        places = [(number, span) for number, part in enumerate(parts) for span in part.offsets]
        with sound(self._where):
            whole = self._tokenizer.post_process(*parts, add_special_tokens=True)
            return Encoding(tuple(self._tokens(whole, texts, places)), left_out)

    def _tokens(self, encoding: tokenizers.Encoding, texts: list[str], places: list[tuple[int, tuple[int, int]]]) -> list[Token]:
        """All tokens of `encoding`; places: of each token that is no added special, the number of its text and its span there."""
        tokens: list[Token] = []
        written = iter(places)
        last: tuple[int | None, int | None] = (None, None)
        end_before = 0
        rows = zip(
            encoding.ids,
            encoding.tokens,
            encoding.type_ids,
            encoding.special_tokens_mask,
            encoding.word_ids,
            strict=True,
        )
        for id_, spelled, segment, added, word in rows:
            if added:
                text_before = last[0] or 0
                tokens.append(Token(id_, spelled, spelled, None, text_before, True, False, segment))
                last = (text_before, None)
                continue
            sequence, (start, end) = next(written)
            if _is_added_blank(spelled, texts[sequence][start:end]):
                end = start
            shown = spelled if spelled == self._unknown else _shown(spelled, texts[sequence][start:end])
            # The library's words are the pre-tokenizer's; SentencePiece models have none, and all of a text is then one word.
            continues = word is not None and last == (sequence, word) and _is_inside_a_word(texts[sequence], start, end_before)
            tokens.append(Token(id_, spelled, shown, (start, end), sequence, False, continues, segment))
            last, end_before = (sequence, word), end
        return tokens


def readable(text: str) -> str:
    """The text with lone surrogates, which no tokenizer or file can encode, replaced; a pasted half emoji brings them.

    Raises InputError for a text of more than TEXT_LIMIT characters.
    """
    if len(text) > TEXT_LIMIT:
        raise InputError(
            f"The text has {len(text):,} characters; attnviz takes up to {TEXT_LIMIT:,} at a time. Use a shorter passage."
        )
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _further(before: str, after: str) -> str:
    """What a decoded text has behind an earlier one; nothing yet where it ends within a character. A byte that becomes none takes
    those beside it along in some decoders, so that the texts may part before the earlier one's end."""
    if after.endswith("\ufffd"):
        return ""
    both = enumerate(zip(before, after, strict=False))
    return after[next((at for at, (one, other) in both if one != other), len(before)) :]


def _cut(parts: list[tokenizers.Encoding], room: int) -> int:
    """Shorten the parts in place until they fit into `room`, the longest first; how many tokens that left out."""
    lengths = [len(part) for part in parts]
    kept = list(lengths)
    while sum(kept) > room:
        longest = kept.index(max(kept))
        others = sum(kept) - kept[longest]
        second = max((length for i, length in enumerate(kept) if i != longest), default=0)
        kept[longest] = max(room - others, min(second, kept[longest] - 1))
    for part, length in zip(parts, kept, strict=True):
        part.truncate(length)
    return sum(lengths) - sum(kept)


def _shown(spelled: str, written: str) -> str:
    """The text to show for a token: as the user wrote it, blanks and line breaks alone as signs, or as the tokenizer spells it."""
    visible = "".join(char for char in written if char.isprintable()).strip()
    if visible:
        return visible
    blanks = (written or spelled).translate(_BLANKS)
    return blanks if blanks and not blanks.strip(BLANK_SIGNS) else spelled.removeprefix("##")


def _is_added_blank(spelled: str, written: str) -> bool:
    """Whether the token is the blank that a tokenizer puts before a text; the library gives it the first character's place."""
    return not spelled.strip("▁Ġ") and bool(written.strip()) and written != spelled


def _is_inside_a_word(text: str, start: int, end_before: int) -> bool:
    """Whether a token that begins at `start` goes on with the word of the token that ended at `end_before`."""
    if start < end_before:  # the bytes of one character
        return True
    beside = text[max(0, start - 1) : start + 1]
    return start == end_before and len(beside) == 2 and all(_is_of_a_word(char) for char in beside)


def _is_of_a_word(char: str) -> bool:
    """Whether the character stands in words that blanks divide: letters, marks and digits, but no ideographs and kana."""
    return category(char)[0] in "LMN" and not _SCRIPTS_WITHOUT_BLANKS.match(char)


def _unknown_token(tokenizer: tokenizers.Tokenizer) -> str | None:
    unknown = getattr(tokenizer.model, "unk_token", None)
    return unknown if isinstance(unknown, str) else None
