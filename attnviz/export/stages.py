"""The forms in which a stage of the steps can be taken along as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from attnviz.export.stage_latex import as_latex
from attnviz.export.stage_numpy import as_numpy

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.scene.steps.content import Content
    from attnviz.scene.steps.scene import StageName

CopyForm = Literal["numpy", "latex"]

# Each with its name on a menu and what writes it.
COPIES: Final[dict[CopyForm, tuple[str, Callable[[Content, StageName], str]]]] = {
    "numpy": ("NumPy", as_numpy),
    "latex": ("LaTeX", as_latex),
}
