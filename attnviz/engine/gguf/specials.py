"""The tokens that no person writes: which ones a vocabulary has, and which ones go around one text and two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tokenizers import AddedToken, Tokenizer, processors

from attnviz.engine.config_keys import LARGEST_VOCABULARY
from attnviz.engine.gguf.tokenizer_keys import PREFIX
from attnviz.engine.gguf.vocabulary import SEPARATOR, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from attnviz.engine.gguf.vocabulary import Vocabulary


@dataclass(frozen=True)
class Frame:
    """The numbers of the tokens around a text. between: a second one after the first text's `end`, or the only one where there
    is no `end`; parts: whether a second text has the type id 1; trims: whether places leave out blanks (RoBERTa's do)."""

    begin: int | None = None
    end: int | None = None
    between: int | None = None
    parts: bool = True
    trims: bool = False


@dataclass(frozen=True)
class Usual:
    """What a kind of tokenizer does where the file does not say: the numbers of its two tokens, whether they are added, and
    whether two texts are kept apart as RoBERTa does. Source: llama_vocab::impl::load in llama.cpp's src/llama-vocab.cpp."""

    bos: int | None = None
    eos: int | None = None
    begins: bool = False
    ends: bool = False
    closes_twice: bool = False


def read_frame(vocabulary: Vocabulary, usual: Usual) -> Frame:
    """The frame that the file asks for. Raises ModelError for one of tokens that the file does not name.

    For two texts llama.cpp has no rule; theirs is that of the tokenizers it converts: LLaMA begins anew before the second,
    whose type id is 1; RoBERTa and XLM-R close the first twice ("add_sep_token"); T5 closes each; ALBERT, whose model has vectors
    for two kinds of text, gives the second the type id 1.
    """
    keys = vocabulary.keys
    begin = _asked(vocabulary, "bos", usual.bos, usual.begins)
    end = _asked(vocabulary, "eos", usual.eos, usual.ends)
    separates = keys.yes("add_sep_token", usual.closes_twice)
    between = vocabulary.mark(SEPARATOR, default=end) if separates else None
    two_kinds = keys.integer(f"{PREFIX}token_type_count", 0, LARGEST_VOCABULARY, 1) > 1
    trims = usual.closes_twice and separates and None not in (begin, end)
    return Frame(begin, end, between, end is None or (two_kinds and not separates), trims)


def bert_frame(vocabulary: Vocabulary) -> Frame:
    """[CLS] text [SEP] pair [SEP], whatever the flags say, as llama.cpp does. Raises ModelError if one of the two is missing."""
    begin = vocabulary.mark("cls", "bos", default=vocabulary.numbers.get("[CLS]"))
    end = vocabulary.mark(SEPARATOR, "eos", default=vocabulary.numbers.get("[SEP]"))
    if begin is None or end is None:
        raise vocabulary.keys.refuse("there is no [CLS] or no [SEP] among the tokens; get the model's own folder instead")
    return Frame(begin, end)


def _asked(vocabulary: Vocabulary, name: str, number: int | None, usual: bool) -> int | None:
    """The token "bos" or "eos" if the file wants it added, `usual` where it does not say."""
    flag = f"add_{name}_token"
    if not vocabulary.keys.yes(flag, usual):
        return None
    found = vocabulary.mark(name, default=number)
    if found is None and vocabulary.keys.told(flag):
        raise vocabulary.keys.refuse(f'"{PREFIX}{flag}" is true and no "{PREFIX}{name}_token_id" says which; get the file again')
    return found


def add_specials(tokenizer: Tokenizer, vocabulary: Vocabulary, spelled: list[str], normalized: bool) -> None:
    """Let the pieces that stand for themselves be found in a text before all others: control tokens, and what users defined.

    spelled: the pieces as the model has them; normalized: whether what users defined is looked for in the normalised text.
    """
    tokenizer.add_special_tokens(
        [AddedToken(spelled[number], special=True, normalized=False) for number in vocabulary.of_kind(Kind.UNKNOWN, Kind.CONTROL)]
    )
    tokenizer.add_tokens(
        [AddedToken(spelled[number], special=False, normalized=normalized) for number in vocabulary.of_kind(Kind.USER_DEFINED)]
    )


def add_frame(tokenizer: Tokenizer, spelled: list[str], frame: Frame) -> None:
    """Put the tokens of `frame` around texts. spelled: the pieces as the model has them."""
    names = {"begin": frame.begin, "end": frame.end, "between": frame.between}
    there = {name: number for name, number in names.items() if number is not None}
    if frame.trims:
        end, begin = ((spelled[number], number) for number in (there["end"], there["begin"]))
        tokenizer.post_processor = processors.RobertaProcessing(end, begin, trim_offsets=True, add_prefix_space=False)
    else:  # even with no token: the library tells two texts apart by this alone
        tokenizer.post_processor = processors.TemplateProcessing(
            single=list(_single(there)),
            pair=list(_pair(there, int(frame.parts))),
            special_tokens=[{"id": name, "ids": [number], "tokens": [spelled[number]]} for name, number in there.items()],
        )


def _single(there: dict[str, Any]) -> Iterator[str]:
    yield from (name for name in ("begin", "$A", "end") if name in there or name == "$A")


def _pair(there: dict[str, Any], second: int) -> Iterator[str]:
    yield from _single(there)
    middle = "between" if "between" in there else "begin"
    if "end" not in there and middle in there:
        yield f"{middle}:{second}"
    elif middle == "between":
        yield middle
    yield f"$B:{second}"
    if "end" in there:
        yield f"end:{second}"
