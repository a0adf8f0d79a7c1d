"""The keys of a GGUF file's tokenizer, read with the strictness of config.json: each is used, harmless or refused.

Source of the names: the gguf library's constants.py, llama.cpp's llama-arch.cpp, convert.go and tokenizer.go of Ollama.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from attnviz.engine.config_keys import LARGEST_VOCABULARY, ConfigKeys, short

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALL: Final = "tokenizer."
PREFIX: Final = "tokenizer.ggml."
# Which token is which (a text gets those that are asked for by other keys), what is written around a chat, the same tokenizer in
# other programs' formats, what is done to text that is written; and what other kinds of tokenizers are made of.
_HARMLESS: Final = re.compile(
    r"tokenizer\.(chat_template.*|huggingface\..*|rwkv\..*)"
    r"|tokenizer\.ggml\.(\w+_token_ids?|suppress_tokens|clean_up_tokenization_spaces)"
    r"|tokenizer\.ggml\.(model|pre|tokens|token_type|token_type_count|scores|merges|add_(bos|eos|sep)_token|add_space_prefix)"
)
# What would change the tokens, and means nothing as long as it says no.
_MEANS_NOTHING_IF_NO: Final = re.compile(
    r"tokenizer\.ggml\.(remove_extra_whitespaces|treat_whitespace_as_suffix|add_prefix_space|normalizer\.\w+|add_\w+_token)"
)
_CHARSMAP: Final = f"{PREFIX}precompiled_charsmap"


class TokenizerKeys(ConfigKeys):
    """Reads what a file tells of its tokenizer. Names of keys are given without the "tokenizer.ggml." before them."""

    def told(self, name: str) -> bool:
        """Whether the key is there."""
        return self.has(PREFIX + name)

    def yes(self, name: str, default: bool) -> bool:
        """A key that says yes or no."""
        return self.flag(PREFIX + name, default)

    def words(self, name: str) -> list[str]:
        """A list of strings. Raises ModelError if there is none."""
        value = self._take(PREFIX + name)
        if not isinstance(value, list) or len(value) > LARGEST_VOCABULARY or not all(isinstance(word, str) for word in value):
            raise self.refuse(f'"{PREFIX}{name}" is {_briefly(value)}, expected a list of strings; get the file again')
        return value

    def text(self, name: str, default: str) -> str:
        """A word."""
        value = self._take(PREFIX + name, default)
        if not isinstance(value, str):
            raise self.refuse(f'"{PREFIX}{name}" is {_briefly(value)}, expected a word; get the file again')
        return value or default

    def numbers(self, name: str) -> NDArray[Any]:
        """A list of numbers, as an array. Raises ModelError if there is none."""
        value = self._take(PREFIX + name)
        try:
            numbers = np.asarray(value)
        except ValueError:  # lists of several lengths
            numbers = np.array(None)
        if numbers.ndim != 1 or (len(numbers) and numbers.dtype.kind not in "iuf"):
            raise self.refuse(f'"{PREFIX}{name}" is {_briefly(value)}, expected a list of numbers; get the file again')
        return numbers

    def finish_tokenizer(self) -> None:
        """Refuse the tokenizer if a key of it is left that was not read and could change the tokens."""
        harmless = {name for name in self._values if not name.startswith(ALL) or _HARMLESS.fullmatch(name)}
        if _is_empty(self._values.get(_CHARSMAP)):
            harmless.add(_CHARSMAP)
        for name in filter(_MEANS_NOTHING_IF_NO.fullmatch, self._values.keys() - self._read - harmless):
            self.only(name, False)
        self.finish(harmless)


def _is_empty(value: Any) -> bool:
    return isinstance(value, list | np.ndarray) and len(value) == 0


def _briefly(value: Any) -> str:
    """The value on one line; of a long list the beginning, as to write down all of it takes a while."""
    return " ".join(short(value[:20] if isinstance(value, list | np.ndarray) else value).split())
