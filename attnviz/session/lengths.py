"""Lengths as people write them: "5.5in", "140 mm", "1200px"."""

from __future__ import annotations

import re

from attnviz.errors import InputError

PER_INCH = {"in": 1.0, "mm": 25.4, "cm": 2.54, "pt": 72.0, "px": 96.0}


def inches(text: str) -> float:
    """The length in inches; a bare number counts as inches, px as 1/96 inch. Raises InputError if it is no length."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([a-z]*)\s*", text.lower())
    if match is None or (match[2] or "in") not in PER_INCH:
        raise InputError(f'"{text}" is not a length; write a number and one of {", ".join(PER_INCH)}, such as 5.5in.')
    return float(match[1]) / PER_INCH[match[2] or "in"]
