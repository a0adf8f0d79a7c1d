"""attnviz: see which token of a sentence looks at which, head by head, in a real transformer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attnviz.engine.model import load_model as load_model

__version__ = "0.1.0"
__all__ = ["__version__", "load_model"]


def __getattr__(name: str) -> Any:
    """`attnviz.load_model`, imported at first use so that `import attnviz` stays cheap."""
    if name == "load_model":
        from attnviz.engine.model import load_model

        return load_model
    raise AttributeError(f"module 'attnviz' has no attribute {name!r}")
