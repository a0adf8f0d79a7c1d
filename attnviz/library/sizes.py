"""Sizes of files as people say them."""

from __future__ import annotations

_UNITS = ("kB", "MB", "GB", "TB")


def file_size(n_bytes: int) -> str:
    """A number of bytes in units of a thousand, as the Hub and most file managers count: "91 MB", "1.2 GB"."""
    if n_bytes < 1000:
        return f"{n_bytes} bytes"
    power = 1
    while power < len(_UNITS) and n_bytes / 1000**power >= 999.5:
        power += 1
    size, unit = n_bytes / 1000**power, _UNITS[power - 1]
    return f"{size:.1f} {unit}" if size < 9.95 else f"{size:,.0f} {unit}"
