"""A model on its way in: a folder of its own beside the models, gone on with after an interruption, put in place when whole.

`models/.owner--name.part/` holds `files/` while they arrive. It is left behind by a cancel or a cut connection, and removed
once the model is there or when nobody has come back for a week.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from attnviz.errors import DownloadError, ModelError
from attnviz.library.child import bytes_in
from attnviz.library.hub_answers import run_job
from attnviz.library.places import DATA_VARIABLE, models_folder
from attnviz.library.placing import put_in_place
from attnviz.library.progress import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from attnviz.library.offer import HubFile, Offer, Variant
    from attnviz.library.progress import ProgressCallback

WEEK: Final = 7 * 24 * 3600  # seconds
CHUNK: Final = 1 << 20  # bytes between two looks at the cancel button


def target_of(offer: Offer, chosen: Variant) -> Path:
    """The model's folder: owner--name, and for GGUF one for each variant. No name on the Hub has -- in it."""
    name = offer.repository.replace("/", "--")
    return models_folder() / (f"{name}--{chosen.name.replace('/', '-')}" if chosen.is_gguf else name)


def path_in(target: Path, chosen: Variant) -> Path:
    """What to open: the folder, or the first .gguf file in it."""
    return target / chosen.files[0].local_name if chosen.is_gguf else target


def is_whole(target: Path, chosen: Variant) -> bool:
    """Whether all files are in place, by their sizes."""
    try:
        return all((target / file.local_name).stat().st_size == file.size for file in chosen.files)
    except OSError:
        return False


def arrived_bytes(offer: Offer, chosen: Variant) -> int:
    """How much of it an earlier try has brought."""
    return bytes_in(_part_of(target_of(offer, chosen)) / "files")


def free_bytes(folder: Path) -> int:
    """The free disk at a folder, or where it will be made."""
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


def arrive(offer: Offer, chosen: Variant, progress: ProgressCallback | None, cancelled: Callable[[], bool]) -> Path:
    """Downloads, checks and puts in place one variant; the path to open.

    Raises DownloadError, Cancelled; what has arrived and is not damaged stays for the next try.
    """
    target = target_of(offer, chosen)
    try:
        _sweep(target.parent)
        with _workplace(target, offer.revision) as work:
            files = [{"name": file.name, "local": file.local_name, "size": file.size} for file in chosen.files]
            job = {"verb": "bring", "repository": offer.repository, "revision": offer.revision, "files": files}
            watch = Watch(f"Downloading {offer.repository}", progress, cancelled)
            run_job(job, work / "files", watch, chosen.n_bytes)
            _check(work / "files", offer, chosen, Watch(f"Checking {offer.repository}", progress, cancelled))
            put_in_place(work / "files", target, lambda: is_whole(target, chosen))
    except OSError as error:
        raise DownloadError(
            f"{target.parent}: {offer.repository} cannot be written there ({error.strerror or error}); make room or set "
            f"{DATA_VARIABLE} to another folder, and try again."
        ) from error
    return path_in(target, chosen)


def _part_of(target: Path) -> Path:
    return target.with_name(f".{target.name}.part")


@contextmanager
def _workplace(target: Path, revision: str) -> Iterator[Path]:
    """The folder in which the model arrives, kept if it does not; what it holds of another revision is thrown away."""
    from filelock import FileLock, Timeout  # huggingface_hub's own means; the system drops the lock with the process

    work = _part_of(target)
    work.mkdir(parents=True, exist_ok=True)
    try:
        lock = FileLock(work / "lock", timeout=0).acquire()
    except Timeout as error:
        raise DownloadError(f"{target.name}: is being fetched by another attnviz; wait until that is done.") from error
    with lock:
        if _read(work / "revision") != revision:
            shutil.rmtree(work / "files", ignore_errors=True)
            (work / "revision").write_text(revision, encoding="utf-8")
        yield work
    shutil.rmtree(work, ignore_errors=True)  # only reached by what went well


def _read(path: Path) -> str:
    with suppress(OSError):
        return path.read_text(encoding="utf-8")
    return ""


def _sweep(models: Path) -> None:
    """Removes downloads that nobody has gone on with for a week."""
    for work in models.glob(".*.part"):
        with suppress(OSError):
            newest = max(path.stat().st_mtime for path in (work, *work.rglob("*")))
            if time.time() - newest > WEEK:
                shutil.rmtree(work, ignore_errors=True)


def _check(folder: Path, offer: Offer, chosen: Variant, watch: Watch) -> None:
    """Raises DownloadError for a file that is not what the Hub said it would be, and removes it; the others stay."""
    done = 0
    for file in chosen.files:
        path = folder / file.local_name
        damage = _damage(path, file, watch, done, chosen.n_bytes)
        if damage is not None:
            path.unlink(missing_ok=True)
            raise DownloadError(f"{offer.repository}: {file.local_name} {damage}; it was thrown away, try again.")
        done += file.size
    if not chosen.is_gguf:
        _check_set(folder, offer)


def _damage(path: Path, file: HubFile, watch: Watch, done: int, total: int) -> str | None:
    """What is wrong with a file, by its size and the sum that the Hub tells."""
    size = path.stat().st_size
    if size != file.size:
        return f"is {size:,} bytes, expected {file.size:,}"
    if file.sha256 is not None:
        name, sum_, expected = "SHA-256", hashlib.sha256(), file.sha256
    elif file.blob is not None:  # git's name for a file: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects
        name, sum_, expected = "SHA-1", hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False), file.blob
    else:
        return None
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            sum_.update(chunk)
            done += len(chunk)
            watch.tell(done, total)
    found = sum_.hexdigest()
    return None if found == expected.lower() else f"has {name} {found[:12]}…, expected {expected[:12]}…"


def _check_set(folder: Path, offer: Offer) -> None:
    """Raises DownloadError if the engine would miss one of the files of the weights."""
    from attnviz.engine.safetensors_source import find_weights

    try:
        find_weights(folder)
    except ModelError as error:
        said = str(error).replace(f"{folder}/", "").replace(str(folder), offer.repository)
        raise DownloadError(f"{offer.repository}: {said}") from error
