"""Arrays or a table as the bytes of a file: NPZ, JSON, CSV, each with where the numbers come from."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SUFFIXES = (".npz", ".json", ".csv")


def npz_bytes(arrays: Mapping[str, Any], facts: Mapping[str, Any]) -> bytes:
    """The arrays under their names, and the facts as JSON under "provenance"; None is left out."""
    buffer = io.BytesIO()
    there = {name: array for name, array in arrays.items() if array is not None}
    np.savez_compressed(buffer, **there, provenance=np.array(json.dumps(facts, ensure_ascii=False)))
    return buffer.getvalue()


def json_bytes(arrays: Mapping[str, Any], facts: Mapping[str, Any]) -> bytes:
    """The arrays as nested lists, after the facts under "provenance"."""
    content = {"provenance": facts, **{name: _plain(array) for name, array in arrays.items() if array is not None}}
    return json.dumps(content, ensure_ascii=False).encode()


def csv_bytes(columns: Sequence[str], rows: Iterable[Sequence[Any]], facts: Mapping[str, Any]) -> bytes:
    """A table with its columns' names, the facts above them in lines that begin with "# ". Texts are quoted, numbers are not."""
    text = io.StringIO()
    for name, value in facts.items():
        text.write(f"# {name}: {json.dumps(value, ensure_ascii=False)}\r\n")
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC)
    text.write(",".join(columns) + "\r\n")
    writer.writerows(rows)
    return text.getvalue().encode()


def shortest(value: np.float32) -> float:
    """The number with the fewest digits that reads back as the same float32."""
    return float(str(value))


def _plain(array: np.ndarray[Any, Any]) -> Any:
    """Nested lists; a float32 is written with the fewest digits that read back as the same float32. What is no number, such as the
    score of a hidden key, is null, as JSON has no word for it."""
    if array.dtype != np.float32:
        return array.tolist()
    short = np.array([shortest(value) for value in array.ravel()], dtype=np.float64)
    if np.isfinite(short).all():
        return short.reshape(array.shape).tolist()
    return np.where(np.isfinite(short), short, None).reshape(array.shape).tolist()
