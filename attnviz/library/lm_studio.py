"""Where LM Studio keeps models: publisher/repository/files below a folder that its settings may move."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_LARGEST_SETTINGS: Final = 1 << 20  # bytes
_LONGEST_PATH: Final = 4_096  # characters


def lm_studio_folders() -> list[Path]:
    """The folders that LM Studio's settings name, then its usual ones, new and old. They may not exist."""
    homes = [*_moved_home(), Path.home() / ".lmstudio", Path.home() / ".cache" / "lm-studio"]
    chosen = [folder for home in homes if (folder := _chosen(home / "settings.json"))]
    return list(dict.fromkeys([*chosen, *(home / "models" for home in homes)]))


def repositories_in(folder: Path) -> Iterator[tuple[str, Path]]:
    """publisher/repository and its folder, for each that is there."""
    try:
        found = sorted(path for path in folder.glob("*/*") if path.is_dir())
    except OSError:
        return
    for path in found:
        yield f"{path.parent.name}/{path.name}", path


def _moved_home() -> list[Path]:
    """Where a file in the person's home says that LM Studio keeps its things."""
    try:
        if not (named := Path.home() / ".lmstudio-home-pointer").is_file():
            return []
        with named.open(encoding="utf-8") as pointer:
            said = pointer.readline(_LONGEST_PATH).strip()
    except (OSError, ValueError):
        return []
    return [Path(said)] if Path(said).is_absolute() else []


def _chosen(settings: Path) -> Path | None:
    try:
        if not settings.is_file() or settings.stat().st_size > _LARGEST_SETTINGS:
            return None
        folder = json.loads(settings.read_text(encoding="utf-8"))["downloadsFolder"]
        return Path(folder).expanduser() if folder else None
    except (OSError, ValueError, TypeError, KeyError, RuntimeError, RecursionError):
        return None
