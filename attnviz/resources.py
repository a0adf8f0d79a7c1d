"""The one door to resources/: fonts, themes, examples, icons.

In a checkout they lie beside the package; in an installed wheel inside it, as `attnviz/_resources`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).parent
_INSTALLED = _PACKAGE / "_resources"


def resource_path(name: str) -> Path:
    """The file or folder called `name` under resources/, such as `"fonts"` or `"themes/light.json"`.

    Raises FileNotFoundError if the installation is incomplete.
    """
    root = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent / "resources"
    path = root / name
    if not path.exists():
        raise FileNotFoundError(f"{path}: part of attnviz is missing; install it again")
    return path


def read_json(name: str) -> Any:
    """The parsed content of a JSON resource."""
    return json.loads(resource_path(name).read_text(encoding="utf-8"))
