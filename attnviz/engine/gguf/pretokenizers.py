"""How a byte-level vocabulary's texts are cut before its merges, by the names that GGUF files have for it.

Source of names and patterns: llama.cpp's src/llama-vocab.cpp (llm_tokenizer_bpe and llama_vocab::impl::load). Where that only
approaches the published tokenizer.json, the published one stands here: patterns with classes of letters (GPT-4o, Tekken), digits
(Falcon, Falcon 3, DeepSeek), BLOOM's pattern. Unlike llama.cpp, which never normalises such texts, those are composed (NFC)
whose tokenizers do so: Qwen 2, Qwen 3.5, Cohere and GPT-NeoX (MPT, OLMo) in transformers' tokenization_*.py; else a decomposed
accent would get other tokens than the model knows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from tokenizers import Regex, pre_tokenizers


@dataclass(frozen=True)
class Cutting:
    """patterns: what each cuts out of the pieces of the one before; by_words: then as GPT-2 does; after: what is cut out once
    bytes are spelled as letters, among which ¹, ² and ¼ count as digits; composes: NFC comes first;
    whole_words: a word that is a piece needs no merges; bos: the text begins with that token unless the file says no;
    closes_twice: RoBERTa's way, </s></s> between two texts and places without blanks."""

    patterns: tuple[str, ...] = ()
    by_words: bool = False
    after: tuple[str, ...] = ()
    composes: bool = False
    whole_words: bool = False
    bos: bool = False
    closes_twice: bool = False

    def pre_tokenizer(self) -> pre_tokenizers.PreTokenizer:
        """The same for the `tokenizers` library; the last step spells bytes as letters."""
        bytes_ = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=self.by_words)
        if not self.patterns and not self.after:
            return bytes_
        return pre_tokenizers.Sequence([*map(_cut_out, self.patterns), bytes_, *map(_cut_out, self.after)])


def _cut_out(pattern: str) -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.Split(Regex(pattern), "isolated")


_APOSTROPHES: Final = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_BLANKS: Final = r"\s*[\r\n]+|\s+(?!\S)|\s+"
_AFTER_SIGN: Final = r"[^\r\n\p{L}\p{N}]?"
_CAPITALISED: Final = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
_CAPITALS: Final = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
_SIGNS: Final = r" ?[^\s\p{L}\p{N}]+[\r\n]*"
_SIGNS_AND_SLASHES: Final = r" ?[^\s\p{L}\p{N}]+[\r\n/]*"


def _any(*patterns: str) -> str:
    return "|".join(patterns)


_LLAMA3: Final = _any(_APOSTROPHES, _AFTER_SIGN + r"\p{L}+", r"\p{N}{1,3}", _SIGNS, _BLANKS)
_QWEN2: Final = _any(_APOSTROPHES, _AFTER_SIGN + r"\p{L}+", r"\p{N}", _SIGNS, _BLANKS)
_QWEN35: Final = _any(_APOSTROPHES, _AFTER_SIGN + r"[\p{L}\p{M}]+", r"\p{N}", r" ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*", _BLANKS)
_TEKKEN: Final = _any(_AFTER_SIGN + _CAPITALISED, _AFTER_SIGN + _CAPITALS, r"\p{N}", _SIGNS_AND_SLASHES, _BLANKS)
_GPT4O: Final = _any(
    f"{_AFTER_SIGN}{_CAPITALISED}{_APOSTROPHES}?",
    f"{_AFTER_SIGN}{_CAPITALS}{_APOSTROPHES}?",
    r"\p{N}{1,3}",
    _SIGNS_AND_SLASHES,
    _BLANKS,
)
_BAILING: Final = _any(
    "'(?i:[sdmt]|ll|ve|re)",
    r"[^\r\n\p{L}\p{N}]?+\p{L}+",
    r"\p{N}",
    r" ?[^\s\p{L}\p{N}]++[\r\n]*",
    r"\s*[\r\n]|\s+(?!\S)|\s+",
)
_SEED: Final = _any(_APOSTROPHES, _AFTER_SIGN + r"\p{L}+", r"\p{N}", r" ?[^\s\p{L}\p{N}\r\n]+", _BLANKS)
_DEEPSEEK3: Final = (
    r"\p{N}{1,3}",
    "[一-龥぀-ゟ゠-ヿ]+",
    _any(
        r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+""",
        r"[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+",
        r" ?[\p{P}\p{S}]+[\r\n]*",
        _BLANKS,
    ),
)
# Letters that have a case; as escapes, since some would become others when composed.
_DEEPSEEK_LETTERS: Final = (
    "A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af\u0370-\u0373\u0376"
    "\u0377\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03f5\u03f7-\u0481\u048a-\u052f"
    "\u0531-\u0556\u10a0-\u10c5\u13a0-\u13f5\u13f8-\u13fd\u1c90-\u1cba\u1cbd-\u1cbf\u1d00-\u1d2b\u1d6b-\u1d77"
    "\u1d79-\u1d9a\u1e00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57\u1f59\u1f5b\u1f5d\u1f5f-\u1f7d"
    "\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4\u1fc6-\u1fcc\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4"
    "\u1ff6-\u1ffc\u2102\u2107\u210a-\u2113\u2115\u2119-\u211d\u2124\u2126\u2128\u212a-\u212d\u212f-\u2134\u2139"
    "\u213c-\u213f\u2145-\u2149\u214e\u2183\u2184\u2c00-\u2c7b\u2c7e-\u2ce4\u2ceb-\u2cee\u2cf2\u2cf3\ua640-\ua66d"
    "\ua680-\ua69b\ua722-\ua76f\ua771-\ua787\ua78b-\ua78e\uab70-\uabbf\ufb00-\ufb06\ufb13-\ufb17\uff21-\uff3a"
    "\uff41-\uff5a\U00010400-\U0001044f\U000104b0-\U000104d3\U000104d8-\U000104fb\U00010c80-\U00010cb2"
    "\U00010cc0-\U00010cf2\U000118a0-\U000118df\U0001e900-\U0001e943"
)
_DEEPSEEK: Final = (
    r"[\r\n]",
    rf"\s?[{_DEEPSEEK_LETTERS}]+",
    r"\s?[!-/:-~！-／：-～‘-‟　-。]+",
    r"\s+$",
    "[一-龥ࠀ-一가-퟿]+",
    r"\p{N}",
)
_DEEPSEEK_CODER: Final = (r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[一-龥ࠀ-一가-퟿]+", r"\p{N}")
_DEFAULT_SIGNS: Final = r"[\p{P}\$\+<=>\^~\|]+"
_FALCON_SIGNS: Final = r"[\p{P}\$\+<=>\^~\|`]+"
_WORDS: Final = _any("'s|'t|'re|'ve|'m|'ll|'d", r" ?\p{L}+", r" ?\p{N}+", r" ?[^\s\p{L}\p{N}]+", r"\s+(?!\S)")
_BLOOM: Final = r" ?[^(\s|[.,!?…。，、।۔،])]+"

_GPT2: Final = Cutting(by_words=True)
_DIGITS: Final = Cutting((r"\p{N}",), by_words=True)
_AS_QWEN2: Final = Cutting((_QWEN2,))
_AS_LLAMA3: Final = Cutting((_LLAMA3,))
_WITH_BOS: Final = Cutting((_LLAMA3,), whole_words=True, bos=True)

DEFAULT: Final = "default"
CUTTINGS: Final[dict[str, Cutting]] = {
    DEFAULT: Cutting((_DEFAULT_SIGNS, _WORDS, r"\p{N}+", "[0-9][0-9][0-9]")),
    "falcon": Cutting((_FALCON_SIGNS,), by_words=True, after=(r"\p{N}+", "[0-9][0-9][0-9]")),
    "falcon3": Cutting((_FALCON_SIGNS,), by_words=True, after=(r"\p{N}",), whole_words=True, bos=True),
    **dict.fromkeys(("gpt-2", "phi-2", "jais", "trillion", "granite-docling", "exaone4", "gigachat", "a.x-4.0", "mellum"), _GPT2),
    **dict.fromkeys(("jina-es", "jina-de", "jina-v2-es", "jina-v2-de", "modern-bert"), _GPT2),
    **dict.fromkeys(("mpt", "olmo"), replace(_GPT2, composes=True)),
    **dict.fromkeys(("roberta-bpe", "jina-v1-en", "jina-v2-code"), replace(_GPT2, closes_twice=True)),
    **dict.fromkeys(("starcoder", "refact", "smollm", "codeshell", "exaone", "minerva-7b", "mellum2"), _DIGITS),
    "command-r": replace(_DIGITS, composes=True),
    **dict.fromkeys(("llama3", "llama-v3", "llama-bpe", "falcon-h1", "pixtral", "midm-2.0", "lfm2"), _WITH_BOS),
    "jina-v5-nano": _WITH_BOS,
    **dict.fromkeys(("dbrx", "smaug-bpe", "glm4", "chatglm-bpe"), _AS_LLAMA3),
    "qwen2": replace(_AS_QWEN2, composes=True),
    **dict.fromkeys(("deepseek-r1-qwen", "stablelm2", "megrez", "kormo", "f2llmv2", "hunyuan", "solar-open", "grok-2"), _AS_QWEN2),
    "qwen35": Cutting((_QWEN35,), composes=True),
    **dict.fromkeys(("gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"), Cutting((_GPT4O,))),
    "tekken": Cutting((_TEKKEN,), whole_words=True, bos=True),
    "minicpm5": Cutting((r"\p{N}{1,3}", _LLAMA3.replace("{1,3}", "+")), whole_words=True),
    **dict.fromkeys(("bailingmoe", "bailingmoe2", "llada-moe"), Cutting((_BAILING,))),
    "seed-coder": Cutting((_SEED,)),
    "deepseek-llm": Cutting(_DEEPSEEK),
    "deepseek-coder": Cutting(_DEEPSEEK_CODER),
    **dict.fromkeys(("deepseek-v3", "hunyuan-dense", "joyai-llm"), Cutting(_DEEPSEEK3)),
    **dict.fromkeys(("bloom", "poro-chat", "gpt3-finnish"), Cutting((_BLOOM,))),
    "viking": Cutting((_BLOOM, r"\p{N}")),
}
