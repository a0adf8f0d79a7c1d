"""The tables of tiny models, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.golden.families_decoders import DECODER_SPELLINGS, DECODERS
from tests.golden.families_encoders import ENCODER_SPELLINGS, ENCODERS
from tests.golden.families_translators import TRANSLATOR_SPELLINGS, TRANSLATORS

if TYPE_CHECKING:
    from tests.golden.families_row import Row, Spelling

ROWS: Final[tuple[Row, ...]] = (*ENCODERS, *TRANSLATORS, *DECODERS)
SPELLINGS: Final[tuple[Spelling, ...]] = (*ENCODER_SPELLINGS, *TRANSLATOR_SPELLINGS, *DECODER_SPELLINGS)
