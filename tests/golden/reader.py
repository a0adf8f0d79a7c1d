"""Golden data as values: what transformers computed for one text, read back from a file that `make_minilm` wrote.

The format is described in `tests/golden/make_minilm.py`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOLDER: Final = Path(__file__).parent / "minilm"
# Numbers are kept in units of 2^-21, rounded to nearest: at most 2^-22 = 2.4e-7 away from what the reference gave.
FRACTION_BITS: Final = 21
STORAGE_ERROR: Final = 2.0 ** -(FRACTION_BITS + 1)


@dataclass(frozen=True)
class GoldenCase:
    """One text and what the reference implementation made of it."""

    name: str
    text: str
    pair: str | None
    tokens: list[str]
    ids: list[int]
    type_ids: list[int]
    attention: NDArray[np.float32]  # [layer, head, query, key], within STORAGE_ERROR of the reference
    hidden: NDArray[np.float32]  # [token, d_model], the last layer's output, within STORAGE_ERROR
    model_sha256: str
    made_with: dict[str, str]  # package -> version


def read_case(name: str, folder: Path = FOLDER) -> GoldenCase:
    """The golden data called `name`, a key of `tests.golden.cases.CASES`."""
    with np.load(folder / f"{name}.npz", allow_pickle=False) as file:
        about = json.loads(file["about"].tobytes())
        attention = from_planes(file["attention_planes"]).swapaxes(-1, -2)
        hidden = from_planes(file["hidden_planes"])
        ids, type_ids = file["ids"].tolist(), file["type_ids"].tolist()
    return GoldenCase(
        name=name,
        text=about["text"],
        pair=about["pair"],
        tokens=about["tokens"],
        ids=ids,
        type_ids=type_ids,
        attention=attention,
        hidden=hidden,
        model_sha256=about["model_sha256"],
        made_with=about["made_with"],
    )


def to_planes(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Numbers as int32 fixed point, cut into bytes: [plane, ...], lowest byte first.

    Raises ValueError if a number does not fit (1024 and more), NaN among them.
    """
    if not (np.abs(values) < 2.0 ** (31 - FRACTION_BITS)).all():
        raise ValueError("a number to store is NaN or does not fit 32 bits")
    units = np.rint(values.astype(np.float64) * 2**FRACTION_BITS).astype(np.int32).view(np.uint32)
    return np.stack([(units >> shift & 0xFF).astype(np.uint8) for shift in (0, 8, 16, 24)])


def from_planes(planes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The numbers that `to_planes` stored, within STORAGE_ERROR below 8 (float32 carries 24 bits)."""
    b0, b1, b2, b3 = planes.astype(np.uint32)
    units = (b0 | b1 << 8 | b2 << 16 | b3 << 24).view(np.int32)
    return (units * 2.0**-FRACTION_BITS).astype(np.float32)
