"""What the program remembers from one start to the next, in one small file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from attnviz.library.places import data_folder

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """theme: "system", "light" or "dark"; export_folder: where the last export went; width, height: the window's, pixels."""

    theme: str = "system"
    reduced_motion: bool = False
    export_folder: str = ""
    width: int = 1180
    height: int = 760


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
        settings_path().write_text(json.dumps(asdict(settings), indent=2), encoding="utf-8")
    except OSError:
        return


def _known(values: dict[str, Any]) -> dict[str, Any]:
    defaults = {field.name: field.default for field in fields(Settings)}
    return {name: value for name, value in values.items() if name in defaults and type(value) is type(defaults[name])}
