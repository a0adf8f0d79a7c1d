"""What the program remembers from one start to the next, in one small file."""

from __future__ import annotations

import json
from dataclasses import MISSING, asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from attnviz.errors import ExportError
from attnviz.library.places import data_folder
from attnviz.library.whole import write_whole

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """theme: "system", "light" or "dark"; export_folder: where the last export went; width, height: the window's, pixels;
    roles_width, roles_height: of the window of head roles; recent: paths of the models opened last, newest first; sessions: of the
    session files; weights_gib: memory for weights kept ready, 0 for half of what is free.
    """

    theme: str = "system"
    reduced_motion: bool = False
    export_folder: str = ""
    width: int = 1180
    height: int = 760
    roles_width: int = 1100
    roles_height: int = 760
    recent: list[str] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)
    weights_gib: float = 0.0


def settings_path() -> Path:
    """Where the settings are kept."""
    return data_folder() / "settings.json"


def load_settings() -> Settings:
    """The settings of the last time; what is missing or unreadable is as at first."""
    try:
        values = json.loads(settings_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Settings()
    return Settings(**_known(values)) if isinstance(values, dict) else Settings()


def save_settings(settings: Settings) -> None:
    """Keep the settings; a folder that cannot be written is no reason to disturb anyone."""
    try:
        settings_path().parent.mkdir(parents=True, exist_ok=True)
        write_whole(settings_path(), json.dumps(asdict(settings), indent=2).encode())
    except (OSError, ExportError):
        return


def _known(values: dict[str, Any]) -> dict[str, Any]:
    defaults = {one.name: one.default if one.default_factory is MISSING else one.default_factory() for one in fields(Settings)}
    known = {name: value for name, value in values.items() if name in defaults and type(value) is type(defaults[name])}
    return {name: value for name, value in known.items() if not isinstance(value, list) or _are_paths(value)}


def _are_paths(values: list[Any]) -> bool:
    return all(isinstance(value, str) for value in values)
