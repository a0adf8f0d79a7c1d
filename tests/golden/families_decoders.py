"""The tiny decoders that `make_families` turns into golden data, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.golden.families_gemmas import GEMMA_LIKE, GEMMA_LIKE_SPELLINGS
from tests.golden.families_gpts import GPT_LIKE, GPT_LIKE_SPELLINGS
from tests.golden.families_llama_likes import LLAMA_LIKE, LLAMA_LIKE_SPELLINGS
from tests.golden.families_llamas import LLAMA, LLAMA_SPELLINGS

if TYPE_CHECKING:
    from tests.golden.families_row import Row, Spelling

DECODERS: Final[tuple[Row, ...]] = (*GPT_LIKE, *LLAMA, *LLAMA_LIKE, *GEMMA_LIKE)
DECODER_SPELLINGS: Final[tuple[Spelling, ...]] = (
    *GPT_LIKE_SPELLINGS,
    *LLAMA_SPELLINGS,
    *LLAMA_LIKE_SPELLINGS,
    *GEMMA_LIKE_SPELLINGS,
)
