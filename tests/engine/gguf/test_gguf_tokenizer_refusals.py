"""Metadata of no tokenizer: each is refused with one sentence that names the file and what is wrong."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import models, normalizers

from attnviz.engine.gguf import tokenizer as built_from
from attnviz.engine.gguf.charsmap import read_charsmap
from attnviz.engine.gguf.tokenizer import build_tokenizer
from attnviz.engine.gguf.tokenizer_keys import TokenizerKeys
from attnviz.errors import ModelError
from tests.golden.charsmap import charsmap
from tests.golden.gguf_metadata import NAMES, tokenizer_metadata
from tests.golden.nasty_strings import NASTY_STRINGS

PREFIX = "tokenizer.ggml."
SOUND = charsmap({"Ａ": "A", "é": "e", "ﬁ": "fi", "e\u0301": "é", "Ａé": "x", "🦊": "fox"})


def refusal(name: str, **entries: Any) -> str:
    """Why the golden metadata with entries changed, or left out where they are None, is refused."""
    changes = {PREFIX + key: value for key, value in entries.items()}
    metadata = {key: value for key, value in {**tokenizer_metadata(name), **changes}.items() if value is not None}
    with pytest.raises(ModelError) as caught:
        build_tokenizer(metadata, "folder/m.gguf")
    message = str(caught.value)
    assert message.startswith("folder/m.gguf: ")
    assert "\n" not in message
    assert len(message) < 200
    return message


@pytest.mark.parametrize(
    ("name", "key"),
    [
        *((name, key) for name in ("bpe_gpt2", "spm_llama", "unigram_t5", "wordpiece") for key in ("model", "tokens")),
        ("bpe_gpt2", "merges"),
        ("spm_llama", "scores"),
        ("unigram_t5", "scores"),
    ],
)
def test_a_missing_entry_is_named(name: str, key: str) -> None:
    assert f'"{PREFIX}{key}" is missing' in refusal(name, **{key: None})


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [3, 2.5, True, "x", [1, 2], [["a"], [1, 2]], {"a": 1}, ["a", 3], np.zeros((2, 2))])
def test_tokens_that_are_no_list_of_strings_are_refused(name: str, value: Any) -> None:
    assert f'"{PREFIX}tokens"' in refusal(name, tokens=value)


@pytest.mark.parametrize("key", ["scores", "token_type"])
@pytest.mark.parametrize(
    "value", [3, "x", ["a"] * 389, [["a"], [1, 2]], [2**70] * 389, [True] * 389, [], [1], [1] * 390, [{}] * 389]
)
def test_lists_that_are_not_one_number_for_each_token_are_refused(key: str, value: Any) -> None:
    assert f'"{PREFIX}{key}"' in refusal("spm_llama", **{key: value})


@pytest.mark.parametrize("score", [float("nan"), float("inf"), float("-inf")])
def test_scores_that_are_no_finite_numbers_are_refused(score: float) -> None:
    assert "finite" in refusal("unigram_t5", scores=[score] * 137)


@pytest.mark.parametrize("kind", [-1, 7, 2**31])
def test_unknown_kinds_of_tokens_are_refused(kind: int) -> None:
    assert "kinds of tokens" in refusal("spm_llama", token_type=[kind] * 389)


def test_an_empty_vocabulary_is_refused() -> None:
    assert "no entries" in refusal("bpe_gpt2", tokens=[])


@pytest.mark.parametrize("name", NAMES)
def test_a_token_that_is_there_twice_is_named(name: str) -> None:
    pieces = list(tokenizer_metadata(name)[PREFIX + "tokens"])
    pieces[-1] = pieces[20]
    assert f"{pieces[20]!r} twice" in refusal(name, tokens=pieces)


def test_two_pieces_that_bert_spells_alike_are_refused() -> None:
    assert "alike" in refusal("wordpiece", tokens=["[CLS]", "[SEP]", "[UNK]", "▁##a", "a"], token_type=[3, 3, 3, 1, 1])


@pytest.mark.parametrize("model", ["rwkv", "plamo2", "no_vocab", "gemma4", "", 3, ["gpt2"]])
def test_a_model_that_attnviz_does_not_know_is_named(model: Any) -> None:
    assert repr(model) in refusal("bpe_gpt2", model=model)


@pytest.mark.parametrize("pre", ["kimi-k2", "a-name-of-tomorrow", 3, ["qwen2"], "x" * 10_000])
def test_a_way_to_cut_texts_that_attnviz_does_not_know_is_named(pre: Any) -> None:
    assert repr(pre)[:50] in refusal("bpe_gpt2", pre=pre)


@pytest.mark.parametrize("line", ["ab", "a", " a", "a ", "", "t q9", "q9 t", "! !", "t  h"])
def test_a_merge_that_is_none_is_named(line: str) -> None:
    assert f'"{PREFIX}merges" has {line!r}' in refusal("bpe_gpt2", merges=["h e", line])


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        ("spm_llama", "bos"),
        ("spm_llama", "unknown"),
        ("unigram_t5", "eos"),
        ("unigram_t5", "unknown"),
        ("wordpiece", "cls"),
        ("wordpiece", "seperator"),
        ("wordpiece", "unknown"),
        ("bpe_roberta", "seperator"),
    ],
)
@pytest.mark.parametrize("number", [-1, 100_000, 2**32 - 1, "1", 1.0, True])
def test_a_mark_that_no_token_has_is_named(name: str, mark: str, number: Any) -> None:
    assert f'"{PREFIX}{mark}_token_id"' in refusal(name, **{f"{mark}_token_id": number})


def test_a_mark_that_goes_into_no_text_may_be_out_of_range() -> None:
    metadata = tokenizer_metadata("spm_llama") | {PREFIX + "padding_token_id": 32_000}
    assert build_tokenizer(metadata, "x.gguf").encode("the").tokens == ["<s>", "▁the"]


def test_a_token_that_is_to_be_added_and_has_no_mark_is_missed() -> None:
    assert '"tokenizer.ggml.bos_token_id"' in refusal("bpe_llama3", bos_token_id=None)
    assert '"tokenizer.ggml.eos_token_id"' in refusal("bpe_gpt2", add_eos_token=True, eos_token_id=None)


def test_tokens_that_a_kind_of_tokenizer_needs_are_missed() -> None:
    kinds = {"token_type": [1, 1], "unknown_token_id": None, "cls_token_id": None, "seperator_token_id": None}
    marks = {"bos_token_id": None, "eos_token_id": None, "padding_token_id": None, "mask_token_id": None}
    assert "[UNK]" in refusal("wordpiece", tokens=["▁a", "b"], **kinds, **marks)
    assert "[CLS]" in refusal("wordpiece", tokens=["▁a", "▁[UNK]"], **kinds, **marks)
    assert "unknown_token_id" in refusal("unigram_t5", tokens=["▁a", "b"], scores=[-1.0, -2.0], **kinds, **marks)


@pytest.mark.parametrize("flag", ["add_bos_token", "add_eos_token", "add_sep_token", "add_space_prefix"])
@pytest.mark.parametrize("value", [1, "true", [True]])
def test_flags_are_true_or_false(flag: str, value: Any) -> None:
    assert f'"{PREFIX}{flag}"' in refusal("spm_llama", **{flag: value})


# As the gguf library's constants, llama.cpp's converters and Ollama's write them; none changes the tokens of a text.
HARMLESS: dict[str, Any] = {
    "tokenizer.chat_template": "{{ messages }}",
    "tokenizer.chat_template.tool_use": "{{ tools }}",
    "tokenizer.chat_templates": ["tool_use"],
    "tokenizer.huggingface.json": "{}",
    "tokenizer.rwkv.world": "",
    **{
        f"{PREFIX}{name}_token_id": 4_000_000_000
        for name in "eot eom mask fim_pre fim_suf fim_mid fim_pad fim_rep fim_sep prefix suffix middle image".split()
    },
    PREFIX + "eos_token_ids": np.array([1, 2], np.int32),
    PREFIX + "suppress_tokens": np.array([1], np.int32),
    **{f"{PREFIX}add_{name}_token": False for name in ("unknown", "padding", "seperator", "cls", "mask", "eot")},
    PREFIX + "token_type_count": 1,
    PREFIX + "treat_whitespace_as_suffix": False,
}


@pytest.mark.parametrize("name", NAMES)
def test_what_files_tell_besides_changes_no_token(name: str) -> None:
    metadata = tokenizer_metadata(name)
    told = build_tokenizer({**HARMLESS, "general.name": "x", "llama.block_count": 2, **metadata}, "x.gguf")
    bare = build_tokenizer(metadata, "x.gguf")
    for text in NASTY_STRINGS:
        assert told.encode(text).ids == bare.encode(text).ids


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("surprise", 7),
        ("surprise", None),
        ("treat_whitespace_as_suffix", True),
        ("escape_whitespaces", False),
        ("ignore_merges", True),
        ("normalizer.nfkc", True),
        ("add_padding_token", True),
        ("add_prefix_space", True),
    ],
)
def test_a_key_that_could_change_the_tokens_is_refused_by_its_name(name: str, key: str, value: Any) -> None:
    with pytest.raises(ModelError, match=f'"{PREFIX}{key}"'):
        build_tokenizer({**tokenizer_metadata(name), PREFIX + key: value}, "x.gguf")


@pytest.mark.parametrize("key", ["tokenizer.surprise", "tokenizer.ggml2.tokens", "tokenizer.huggingface"])
def test_a_key_of_no_known_format_is_refused_by_its_name(key: str) -> None:
    with pytest.raises(ModelError, match=f'"{key}"'):
        build_tokenizer({**tokenizer_metadata("bpe_gpt2"), key: "x"}, "x.gguf")


@pytest.mark.parametrize(
    ("key", "no", "yes"),
    [
        ("remove_extra_whitespaces", False, True),
        ("precompiled_charsmap", np.zeros(0, np.int8), np.frombuffer(SOUND, np.int8)),
        ("normalizer.lowercase", False, True),
        ("normalizer.strip_accents", False, True),
    ],
)
def test_what_only_another_kind_of_tokenizer_does_must_not_be_asked_for(key: str, no: Any, yes: Any) -> None:
    for name in ("bpe_gpt2", "spm_llama"):
        build_tokenizer({**tokenizer_metadata(name), PREFIX + key: no}, "x.gguf")
        assert f'"{PREFIX}{key}"' in refusal(name, **{key: yes})


def test_two_spellings_of_a_mark_must_be_equal() -> None:
    marks = {"add_sep_token": True, "seperator_token_id": 2}
    metadata = {PREFIX + key: value for key, value in marks.items()}
    build_tokenizer({**tokenizer_metadata("bpe_gpt2"), **metadata, PREFIX + "separator_token_id": 2}, "x.gguf")
    assert "two spellings of one key" in refusal("bpe_gpt2", **marks, separator_token_id=3)


def test_pieces_of_an_absurd_length_are_refused() -> None:
    pieces = list(tokenizer_metadata("spm_llama")[PREFIX + "tokens"])
    pieces[-1] = "x" * 1_000_000
    assert "1,000,000 characters" in refusal("spm_llama", tokens=pieces)


@pytest.mark.parametrize(
    "table",
    [
        "x",
        [],
        [0] * 3,
        [0] * 300,
        [255] * 300,
        [4, 0, 0, 0] + [255] * 300,
        [0.5] * 300,
        [-1.0] * 5000,
        np.zeros((2, 2), np.uint8),
        np.zeros(64 << 20, np.uint8),
        list(SOUND[:-2000]),
        SOUND[:4] + b"\xff" * (len(SOUND) - 4),
        SOUND.replace(b"fi", b"\xc3\xff"),
    ],
)
def test_an_absurd_table_of_replacements_is_refused(table: Any) -> None:
    numbers = np.frombuffer(table, np.uint8) if isinstance(table, bytes) else table
    assert refusal("unigram_t5", precompiled_charsmap=numbers)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, len(SOUND) // 4 - 1), st.integers(0, 2**32 - 1) | st.integers(0, 5000).map(lambda n: n << 10)),
        min_size=1,
        max_size=20,
    )
)
def test_a_damaged_table_is_refused_or_can_be_followed_anywhere(changes: list[tuple[int, int]]) -> None:
    """The library follows the table wherever it points: a way out of it would be a panic."""
    table = np.frombuffer(SOUND[: len(SOUND) // 4 * 4], "<u4").copy()
    for place, value in changes:
        table[place] = value
    try:
        charsmap = read_charsmap(TokenizerKeys({PREFIX + "precompiled_charsmap": table.view(np.uint8)}, "x.gguf"))
        normalizer = normalizers.Precompiled(charsmap)
    except ModelError:
        return
    except Exception as error:
        assert re.search("utf-8|Precompiled", str(error), re.IGNORECASE)  # noqa: PT017 what the library says of its own accord
        return
    for text in NASTY_STRINGS:
        normalizer.normalize_str(text)


def test_a_sound_table_replaces_what_it_says() -> None:
    table = read_charsmap(TokenizerKeys({PREFIX + "precompiled_charsmap": np.frombuffer(SOUND, np.int8)}, "x.gguf"))
    assert normalizers.Precompiled(table).normalize_str("Ａ ﬁ e\u0301 🦊 b") == "A fi é fox b"


class PanicException(BaseException):
    """As the library's own, which cannot be imported."""


@pytest.mark.parametrize("error", [PanicException("index out of bounds"), Exception("Token `a` out of vocabulary")])
def test_whatever_the_library_says_becomes_one_sentence(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise error

    monkeypatch.setattr(models, "BPE", fail)
    assert built_from.models is models
    assert str(error) in refusal("bpe_gpt2")


def test_an_interrupt_is_no_fault_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*args: Any, **kwargs: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(models, "BPE", interrupt)
    with pytest.raises(KeyboardInterrupt):
        build_tokenizer(tokenizer_metadata("bpe_gpt2"), "x.gguf")
