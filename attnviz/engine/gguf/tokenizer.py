"""The tokenizer that a GGUF file describes, as an object of the `tokenizers` library.

A GGUF file does not carry a tokenizer.json: it has the pieces, their scores or merges, and the names of a few ways to use
them. What is built from them gives the tokens of the tokenizer that was converted, where that can be told. It cannot be told,
and this is what happens instead:
- A normaliser of byte-level BPE: by the name of the pre-tokenizer (see `pretokenizers`), else none, as in llama.cpp.
- A normaliser of unigram models is there as "precompiled_charsmap" or not at all, as in llama.cpp.
- WordPiece: "normalizer.lowercase" and "normalizer.strip_accents" where the file has them. Else llama.cpp makes every text lower
  case without accents; here a vocabulary that has capitals keeps them, as it could not use those pieces otherwise.
- Which special tokens swallow blanks beside them (RoBERTa's <mask> in a text): none do.
- "add_space_prefix" of byte-level BPE and WordPiece: passed over, as in llama.cpp. (Its converter copies it there from settings
  that do not say how the tokenizer cuts texts.)
Source: llama.cpp's src/llama-vocab.cpp and conversion/*.py; docs/gguf.md of the ggml project.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

from attnviz.engine.config_keys import short
from attnviz.engine.gguf.charsmap import read_charsmap
from attnviz.engine.gguf.merges import derived_merges, listed_merges
from attnviz.engine.gguf.pretokenizers import CUTTINGS, DEFAULT
from attnviz.engine.gguf.specials import Frame, Usual, add_frame, add_specials, bert_frame, read_frame
from attnviz.engine.gguf.tokenizer_keys import PREFIX, TokenizerKeys
from attnviz.engine.gguf.vocabulary import Kind, read_vocabulary
from attnviz.engine.soundness import sound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from attnviz.engine.gguf.merges import Merges
    from attnviz.engine.gguf.pretokenizers import Cutting
    from attnviz.engine.gguf.vocabulary import Vocabulary

_BLANK: Final = "▁"
_CAPITALS: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


@dataclass(frozen=True)
class Built:
    """A tokenizer before its special tokens. spelled: the pieces as its model has them; normalized: whether what users defined
    is looked for in the normalised text."""

    tokenizer: Tokenizer
    spelled: list[str]
    frame: Frame
    normalized: bool = False


def build_tokenizer(metadata: Mapping[str, Any], where: str) -> Tokenizer:
    """The tokenizer that the metadata of a GGUF file describes.

    where: the file, for messages. Raises ModelError for metadata that is incomplete or contradicts itself, or of a kind that
    attnviz does not know.
    """
    keys = TokenizerKeys(metadata, where)
    build = keys.choice(f"{PREFIX}model", _KINDS)
    vocabulary = read_vocabulary(keys)
    with sound(where):
        built = build(vocabulary)
        add_specials(built.tokenizer, vocabulary, built.spelled, built.normalized)
        add_frame(built.tokenizer, built.spelled, built.frame)
    keys.finish_tokenizer()
    return built.tokenizer


def _byte_level(vocabulary: Vocabulary) -> Built:
    """GPT-2's way: a text is cut into words, and the bytes of each are merged by a list."""
    cutting = _cutting(vocabulary)
    model = models.BPE(vocab=vocabulary.numbers, merges=listed_merges(vocabulary), ignore_merges=cutting.whole_words)
    tokenizer = Tokenizer(model)
    if cutting.composes:
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = cutting.pre_tokenizer()
    tokenizer.decoder = decoders.ByteLevel()
    usual = Usual(begins=cutting.bos, closes_twice=cutting.closes_twice)
    return Built(tokenizer, vocabulary.pieces, read_frame(vocabulary, usual))


def _cutting(vocabulary: Vocabulary) -> Cutting:
    name = vocabulary.keys.text("pre", DEFAULT)
    if name not in CUTTINGS:
        raise vocabulary.keys.refuse(
            f'"{PREFIX}pre" is {short(name)}, a way to cut texts that attnviz does not know; get the model as a folder instead'
        )
    return CUTTINGS[name]


def _sentencepiece(vocabulary: Vocabulary) -> Built:
    """LLaMA's way: blanks are ▁, and the pieces' scores say which two characters are merged first; what is no piece is bytes."""
    prefixed = vocabulary.keys.yes("add_space_prefix", True)
    spelled = vocabulary.pieces if prefixed else _with_blanks_spelled(vocabulary)
    model = models.BPE(
        vocab=_numbered(spelled),
        merges=_merges(vocabulary),
        unk_token=_unknown(vocabulary, 0, spelled),
        fuse_unk=True,
        byte_fallback=len(vocabulary.of_kind(Kind.BYTE)) > 0,
    )
    tokenizer = Tokenizer(model)
    blanks = normalizers.Replace(" ", _BLANK)
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend(_BLANK), blanks]) if prefixed else blanks
    steps = [decoders.Replace(_BLANK, " "), decoders.ByteFallback(), decoders.Fuse()]
    tokenizer.decoder = decoders.Sequence([*steps, decoders.Strip(" ", 1, 0)] if prefixed else steps)
    return Built(tokenizer, spelled, read_frame(vocabulary, Usual(bos=1, eos=2, begins=True)), normalized=not prefixed)


def _with_blanks_spelled(vocabulary: Vocabulary) -> list[str]:
    """The pieces with ▁ again where the converter put blanks for it: in what users defined, such as Gemma's runs of blanks."""
    spelled = list(vocabulary.pieces)
    for number in vocabulary.of_kind(Kind.USER_DEFINED):
        respelled = spelled[number].replace(" ", _BLANK)
        if respelled not in vocabulary.numbers:
            spelled[number] = respelled
    return spelled


def _merges(vocabulary: Vocabulary) -> Merges:
    """By the scores; by the file's list of merges where a converter did not know the scores and gave each piece the same."""
    normal = vocabulary.scores[vocabulary.of_kind(Kind.NORMAL)]
    if vocabulary.keys.told("merges") and len(np.unique(normal)) <= 1:
        return listed_merges(vocabulary)
    if not vocabulary.keys.told("scores"):
        raise vocabulary.keys.refuse(f'"{PREFIX}scores" is missing, by which pieces are merged; get the file again')
    return derived_merges(vocabulary)


def _unknown(vocabulary: Vocabulary, default: int, spelled: list[str]) -> str:
    """The piece for what has none, by its number where the file names it."""
    number = vocabulary.mark("unknown", default=default)
    if number is None:
        raise vocabulary.keys.refuse(f'"{PREFIX}unknown_token_id" is missing; get the file again')
    return spelled[number]


def _numbered(spelled: list[str]) -> dict[str, int]:
    return {piece: number for number, piece in enumerate(spelled)}


def _unigram(vocabulary: Vocabulary) -> Built:
    """T5's way: of all ways to cut a word into pieces, the most probable one."""
    keys = vocabulary.keys
    spelled = list(vocabulary.pieces)
    for number in vocabulary.of_kind(Kind.UNUSED):
        spelled[number] += " "  # is then in no text, where blanks are ▁
    unknown = _numbered(spelled)[_unknown(vocabulary, 2, spelled)]
    every_byte = len(vocabulary.of_kind(Kind.BYTE)) == 256
    tokenizer = Tokenizer(models.Unigram(list(zip(spelled, _log_probabilities(vocabulary), strict=True)), unknown, every_byte))
    if keys.told("precompiled_charsmap"):
        tokenizer.normalizer = normalizers.Precompiled(read_charsmap(keys))
    merges_blanks = keys.yes("remove_extra_whitespaces", False)
    scheme = "always" if merges_blanks or keys.yes("add_space_prefix", False) else "never"
    blanks = pre_tokenizers.Metaspace(replacement=_BLANK, prepend_scheme=scheme)
    by_words = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), blanks])
    tokenizer.pre_tokenizer = by_words if merges_blanks else blanks
    tokenizer.decoder = decoders.Metaspace(replacement=_BLANK, prepend_scheme=scheme)
    return Built(tokenizer, spelled, read_frame(vocabulary, Usual(eos=1, ends=True)))


def _log_probabilities(vocabulary: Vocabulary) -> list[float]:
    """The scores; pieces without use get the lowest of the others, by which the library prices what is no piece at all."""
    if not vocabulary.keys.told("scores"):
        raise vocabulary.keys.refuse(f'"{PREFIX}scores" is missing, by which pieces are chosen; get the file again')
    scores = vocabulary.scores.copy()
    unused = vocabulary.of_kind(Kind.UNUSED)
    scores[unused] = np.delete(scores, unused).min(initial=0.0)
    return scores.tolist()


def _word_piece(vocabulary: Vocabulary) -> Built:
    """BERT's way: the longest piece a word begins with, then the longest that goes on, spelled ##."""
    spelled = _as_bert_spells(vocabulary)
    keys = vocabulary.keys
    unknown = vocabulary.mark("unknown", default=_numbered(spelled).get("[UNK]"))
    if unknown is None:
        raise keys.refuse("there is no [UNK] among the tokens; get the model's own folder instead")
    tokenizer = Tokenizer(models.WordPiece(_numbered(spelled), unk_token=spelled[unknown], max_input_chars_per_word=100))
    lowercase = keys.yes("normalizer.lowercase", not _has_capitals(vocabulary))
    strip_accents = keys.yes("normalizer.strip_accents", lowercase)
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase, strip_accents=strip_accents)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    return Built(tokenizer, spelled, bert_frame(vocabulary))


def _as_bert_spells(vocabulary: Vocabulary) -> list[str]:
    """The pieces with ## before what goes on, where the converter put ▁ before what begins a word."""
    control = set(vocabulary.of_kind(Kind.CONTROL).tolist())
    spelled = [
        piece if number in control else piece[1:] if piece.startswith(_BLANK) else f"##{piece}"
        for number, piece in enumerate(vocabulary.pieces)
    ]
    if len(set(spelled)) < len(spelled):
        raise vocabulary.keys.refuse(f'"{PREFIX}tokens" has two pieces that BERT spells alike; get the file again')
    return spelled


def _has_capitals(vocabulary: Vocabulary) -> bool:
    """Whether a piece has one of the letters A to Z; those in brackets, such as [UNK], are no words."""
    normal = (vocabulary.pieces[number].lstrip(_BLANK) for number in vocabulary.of_kind(Kind.NORMAL))
    return any(not piece.startswith("[") and not _CAPITALS.isdisjoint(piece) for piece in normal)


_KINDS: Final[dict[str, Callable[[Vocabulary], Built]]] = {
    "gpt2": _byte_level,
    "llama": _sentencepiece,
    "t5": _unigram,
    "bert": _word_piece,
}
