"""Whether two pictures are the same."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace

import numpy as np

from attnviz.scene.scene import Arcs


def same(one: object, other: object, tolerance: float = 0.0) -> bool:
    """Whether two scenes, or parts of them, are the same: numbers to within `tolerance`; where there is one, arcs in any order."""
    if type(one) is not type(other):
        return False
    if isinstance(one, Arcs) and tolerance:
        return len(one) == len(other) and _same_fields(_in_order(one), _in_order(other), tolerance)
    if isinstance(one, np.ndarray):
        return (
            one.dtype == other.dtype and one.shape == other.shape and bool(np.allclose(one, other, 0.0, tolerance, equal_nan=True))
        )
    if isinstance(one, float):
        return one == other or abs(one - other) <= tolerance
    if is_dataclass(one):
        return _same_fields(one, other, tolerance)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(value, other[key], tolerance) for key, value in one.items())
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(same(a, b, tolerance) for a, b in zip(one, other, strict=True))
    return one == other


def _same_fields(one: object, other: object, tolerance: float) -> bool:
    return all(same(getattr(one, field.name), getattr(other, field.name), tolerance) for field in fields(one))


def _in_order(arcs: Arcs) -> Arcs:
    """The arcs by head, query and key."""
    order = np.lexsort((arcs.key, arcs.query, arcs.head))
    names = [field.name for field in fields(arcs) if isinstance(getattr(arcs, field.name), np.ndarray)]
    return replace(arcs, **{name: getattr(arcs, name)[order] for name in names if len(getattr(arcs, name)) == len(order)})
