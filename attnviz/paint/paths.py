"""Many curves as one QPainterPath, without a Python call per curve."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QByteArray, QDataStream
from PySide6.QtGui import QPainterPath

if TYPE_CHECKING:
    from attnviz.engine.ops import Float32

# A path as QDataStream has it (Qt's serialisation format of QPainterPath): the number of elements, each with its type
# and place, then where the last subpath starts and the fill rule.
_ELEMENT = np.dtype([("type", ">i4"), ("x", ">f8"), ("y", ">f8")])
_CUBIC = (0, 2, 3, 3)  # move to, curve to, and its two further points


def cubic_path(curve: Float32) -> QPainterPath:
    """All cubics of `curve`, [arc, 4, 2], as one path."""
    elements = np.empty((len(curve), 4), _ELEMENT)
    elements["type"] = _CUBIC
    elements["x"] = curve[..., 0]
    elements["y"] = curve[..., 1]
    head = np.array([elements.size], ">i4").tobytes()
    tail = np.array([max(elements.size - 4, 0), 1], ">i4").tobytes()
    data = QByteArray(head + elements.tobytes() + tail)
    stream = QDataStream(data)  # the constructor that shares the bytes; the one with a mode keeps a bare pointer to them
    path = QPainterPath()
    stream >> path
    return path
