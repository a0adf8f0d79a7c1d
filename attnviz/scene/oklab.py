"""Colours by how they look: OKLab, in which equal steps look equal (Ottosson 2020), and the screen's sRGB."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float64 = NDArray[np.float64]

# OKLab: https://bottosson.github.io/posts/oklab/ (Ottosson 2020).
_LAB_TO_LMS = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ]
)
_LMS_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


def to_rgb(lab: Float64) -> Float64:
    """Rows of OKLab as rows of linear sRGB, 0 to 1, drawn towards grey of the same lightness until they are in gamut."""
    grey = lab * np.array([1.0, 0.0, 0.0])
    share = np.ones((len(lab), 1))
    for _ in range(24):
        rgb = ((grey + share * (lab - grey)) @ _LAB_TO_LMS.T) ** 3 @ _LMS_TO_RGB.T
        outside = (rgb.min(axis=1) < 0.0) | (rgb.max(axis=1) > 1.0)
        share[outside] *= 0.94
    return np.clip(rgb, 0.0, 1.0)


def into_gamut(lab: Float64) -> Float64:
    """Rows of OKLab drawn towards grey of the same lightness just as far as sRGB needs, so that like rows stay alike.

    Lightness lies between black and white; `to_rgb` alone takes steps of 6 %, which show as bands in a ramp.
    """
    grey = lab * np.array([1.0, 0.0, 0.0])
    low, high = np.zeros((len(lab), 1)), np.ones((len(lab), 1))
    for _ in range(16):
        share = (low + high) / 2
        rgb = ((grey + share * (lab - grey)) @ _LAB_TO_LMS.T) ** 3 @ _LMS_TO_RGB.T
        fits = ((rgb.min(axis=1) >= 0.0) & (rgb.max(axis=1) <= 1.0))[:, None]
        low, high = np.where(fits, share, low), np.where(fits, high, share)
    return grey + low * (lab - grey)


def to_lab(rgb: Float64) -> Float64:
    """Rows of linear sRGB as rows of OKLab: lightness 0 to 1, then two for hue and chroma."""
    lms = np.cbrt(np.clip(rgb, 0.0, 1.0) @ np.linalg.inv(_LMS_TO_RGB).T)
    return lms @ np.linalg.inv(_LAB_TO_LMS).T


def to_levels(rgb: Float64) -> NDArray[np.uint8]:
    """Linear sRGB as the screen's levels, 0 to 255 (IEC 61966-2-1)."""
    curved = np.where(rgb <= 0.0031308, 12.92 * rgb, 1.055 * np.power(rgb, 1 / 2.4) - 0.055)
    return np.rint(curved * 255).astype(np.uint8)


def levels_of(colour: str) -> NDArray[np.uint8]:
    """The levels of a colour "#rrggbb", [3]."""
    return np.frombuffer(bytes.fromhex(colour[1:]), np.uint8)


def lab_of(colour: str) -> Float64:
    """A colour "#rrggbb" in OKLab, [3]."""
    level = levels_of(colour) / 255
    linear = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    return to_lab(linear[None])[0]
