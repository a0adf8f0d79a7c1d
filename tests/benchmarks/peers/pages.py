"""BertViz's page, made to open without a network: its scripts come from the npm registry once, and lie beside it."""

from __future__ import annotations

import re
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Final

SCRIPT: Final = Path(__file__).with_name("measure.js")
# Of each script that the page loads: its package, and where the package has it. The page says which version.
PACKAGES: Final = {
    "require": ("requirejs", "require.js"),
    "d3": ("d3", "dist/d3.min.js"),
    "jquery": ("jquery", "dist/jquery.min.js"),
}
_LOADED: Final = re.compile(r"https?://[^\s\"']+?/(?P<version>\d+\.\d+\.\d+)/(?P<name>[a-z0-9]+)\.min(?P<ending>\.js)?(?=[\"'])")


class NoScripts(Exception):
    """The page's scripts are not to be had; the message says why."""


def make_local(page: str, folder: Path) -> str:
    """The page with its scripts taken from `folder`, where they are fetched to, and with the one that measures it behind all else.

    Raises NoScripts where npm is missing or does not have them.
    """
    for found in _LOADED.finditer(page):
        _fetch(found["name"], found["version"], folder)
    local = _LOADED.sub(lambda found: f"/{found['name']}{found['ending'] or ''}", page)
    return f'<!doctype html><meta charset="utf-8">{local}<script>{SCRIPT.read_text(encoding="utf-8")}</script>'


def _fetch(name: str, version: str, folder: Path) -> None:
    """Put a script into the folder; where the registry lacks that version, the newest with the same first number."""
    target = folder / f"{name}.js"
    if target.exists():
        return
    package, member = PACKAGES[name]
    npm = shutil.which("npm")
    if npm is None:
        raise NoScripts("npm, which fetches the scripts of its page, is not on the PATH")
    for wanted in (version, version.partition(".")[0]):
        done = subprocess.run(
            [npm, "pack", "--silent", f"{package}@{wanted}"], cwd=folder, capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            with tarfile.open(folder / done.stdout.split()[-1]) as archive:
                target.write_bytes(archive.extractfile(f"package/{member}").read())
            return
    raise NoScripts(f"npm did not fetch {package} {version}")
