"""Models on this machine, by name: attnviz' own, the installed package's, other programs', those opened lately."""

from __future__ import annotations

import os
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

from attnviz.errors import Cancelled, ModelError, never
from attnviz.library.found import FoundModel, read_folder, read_gguf
from attnviz.library.gguf_names import group_gguf, variant_names
from attnviz.library.lm_studio import lm_studio_folders, repositories_in
from attnviz.library.minilm import MINILM
from attnviz.library.nearby import cached_folders, package_folder, snapshots
from attnviz.library.ollama import ollama_folders, ollama_models
from attnviz.library.places import hugging_face_cache, models_folder
from attnviz.library.verify import looks_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["FoundModel", "default_model", "find_models", "resolve_model"]


def find_models(recent: Iterable[str | Path] = (), cancelled: Callable[[], bool] = never) -> list[FoundModel]:
    """Every model in the known places, by name; those that attnviz cannot run say why. Raises Cancelled once `cancelled()` says so.

    recent: paths opened lately, listed if no other place has them. Left out is what is broken and what is no transformer; a
    file that lies in two places is listed once. Only headers are read, nothing is hashed.
    """
    places = (_own(), _packaged(), _cached(), _of_lm_studio(), _of_ollama(), _recent(recent))
    found: dict[str, FoundModel] = {}
    for model in chain.from_iterable(places):
        if cancelled():
            raise Cancelled
        found.setdefault(os.path.realpath(model.path), model)
    return sorted(found.values(), key=lambda model: (model.name.casefold(), model.place))


def default_model() -> Path | None:
    """The folder of the default model, or None if it must be fetched first.

    Quick, for the start of the program: sizes are compared, nothing is hashed.
    """
    own, package = models_folder() / MINILM.folder, package_folder(MINILM)
    for folder in (own, package, *cached_folders(MINILM)):
        if folder is not None and looks_whole(folder, MINILM):
            return folder
    return None


def resolve_model(name_or_path: str | Path, recent: Iterable[str | Path] = ()) -> Path:
    """The folder or .gguf file that a person means by a path, or by a name from `find_models`.

    recent: as for `find_models`. A folder with a config.json goes before a name, a name before any other folder. Capitals do not
    matter in names, and `owner/` may be left out where that is clear.
    Raises ModelError if nothing is there.
    """
    path, text = Path(name_or_path), str(name_or_path)
    try:
        path = path.expanduser()
        if (path / "config.json").is_file():
            return path
        if path.is_file():
            return _check_file(path)
        if isinstance(name_or_path, str) and (named := _by_name(text, recent)):
            return named
        if path.is_dir():
            return path
    except (OSError, RuntimeError) as error:  # a name too long, a folder that may not be entered, no such user's home
        raise ModelError(f"{text}: cannot be opened ({error}); give another folder or name") from error
    raise _nothing_there(path, text)


def _by_name(name: str, recent: Iterable[str | Path]) -> Path | None:
    if name.casefold() in (MINILM.name, MINILM.folder.casefold()) and (folder := default_model()):
        return folder
    wanted, models = name.casefold(), find_models(recent)
    for form in _FORMS:
        matches: dict[str, Path] = {}
        for model in models:
            called = model.path.name if model.place == "recent" else model.name
            if wanted in form(called.casefold()):
                matches.setdefault(str(model.path) if model.place == "recent" else model.name, model.path)
        if len(matches) > 1:
            names = ", ".join(matches)
            raise ModelError(f'"{name}" is the name of more than one model on this machine; say which: {names}')
        if matches:
            return next(iter(matches.values()))
    return None


def _without_owner(name: str) -> str:
    return name.split("/")[-1]


# What may be given for a name, the nearest first: all of it, without its owner, without a usual tag or the only one.
_FORMS: Final = (
    lambda name: (name,),
    lambda name: (_without_owner(name),),
    lambda name: (name.removesuffix(":latest"), _without_owner(name).removesuffix(":latest")),
    lambda name: (name.partition(":")[0], _without_owner(name).partition(":")[0]),
)


def _check_file(path: Path) -> Path:
    from attnviz.engine.folder import is_gguf

    if is_gguf(path):  # also one of Ollama's, whose name says nothing
        return path
    raise ModelError(f"{path}: a file that is not .gguf; give the folder that holds config.json and *.safetensors")


def _nothing_there(path: Path, text: str) -> ModelError:
    if text.casefold() == MINILM.name:
        return ModelError("minilm is not on this machine yet; get it with: attnviz get minilm")
    if path.exists():
        return ModelError(f"{path}: neither a folder nor a regular file; give the path of one, or a name from: attnviz models")
    if path.suffix.lower() == ".gguf":
        return ModelError(f"{path}: no such file; give the path of a .gguf file, or a name from: attnviz models")
    return ModelError(
        f'"{text}" is neither a folder, a .gguf file nor a model on this machine; see their names with: attnviz models'
    )


def _own() -> Iterator[FoundModel]:
    yield from _gguf_in(models_folder(), "", "attnviz", below=False)
    for folder in _folders_in(models_folder(), "*"):
        if not folder.name.startswith("."):  # a download that is still running
            name = MINILM.name if folder.name == MINILM.folder else "/".join(folder.name.split("--")[:2])
            yield from _models_in(folder, name, "attnviz")


def _packaged() -> Iterator[FoundModel]:
    if package := package_folder(MINILM):
        yield from _models_in(package, MINILM.package, "installed package")


def _cached() -> Iterator[FoundModel]:
    """Of a repository the snapshot that counts, and GGUF files of all: each is fetched when it is wanted, maybe years apart."""
    for repository in _folders_in(hugging_face_cache(), "models--*"):
        name = repository.name.removeprefix("models--").replace("--", "/", 1)
        names: set[str] = set()
        for number, folder in enumerate(snapshots(repository)):
            found = _models_in(folder, name, "Hugging Face cache") if number == 0 else _gguf_in(folder, name, "Hugging Face cache")
            for model in found:
                if model.name not in names:
                    names.add(model.name)
                    yield model


def _of_lm_studio() -> Iterator[FoundModel]:
    for root in lm_studio_folders():
        for name, folder in repositories_in(root):
            yield from _models_in(folder, name, "LM Studio")


def _of_ollama() -> Iterator[FoundModel]:
    for root in ollama_folders():
        for one in ollama_models(root):
            if model := read_gguf(one.name, one.path, "Ollama", one.n_bytes):
                yield model


def _recent(paths: Iterable[str | Path]) -> Iterator[FoundModel]:
    for path in map(Path, paths):
        try:
            is_file, n_bytes = path.is_file(), path.stat().st_size
        except OSError:  # it has gone, or its disk has
            continue
        parts = next((parts for parts in group_gguf(_sizes(path.parent)) if path.name in parts.names), None)
        if not is_file:
            model = read_folder(str(path), path, "recent")
        elif parts is None:
            model = read_gguf(str(path), path, "recent", n_bytes)
        else:
            model = read_gguf(str(path), path, "recent", parts.n_bytes, len(parts.names), parts.is_whole)
        if model:
            yield model


def _models_in(folder: Path, name: str, place: str) -> Iterator[FoundModel]:
    """The safetensors model of a folder, and each GGUF model in it as name:variant."""
    if model := read_folder(name, folder, place):
        yield model
    yield from _gguf_in(folder, name, place)


def _gguf_in(folder: Path, name: str, place: str, below: bool = True) -> Iterator[FoundModel]:
    groups = group_gguf(_sizes(folder, below))
    for parts, variant in zip(groups, variant_names(groups), strict=True):
        named = f"{name}:{variant}" if name else parts.stem
        if model := read_gguf(named, folder / parts.first, place, parts.n_bytes, len(parts.names), parts.is_whole):
            yield model


def _sizes(folder: Path, below: bool = False) -> dict[str, int]:
    """The sizes of the .gguf files in a folder, and with `below` in its folders; by their names with /."""
    sizes: dict[str, int] = {}
    for place in (folder, *(_folders_in(folder, "*") if below else ())):
        with suppress(OSError):
            for path in place.iterdir():
                if path.suffix.lower() == ".gguf" and path.is_file():
                    with suppress(OSError):  # it has gone meanwhile
                        sizes[path.relative_to(folder).as_posix()] = path.stat().st_size
    return sizes


def _folders_in(folder: Path, pattern: str) -> list[Path]:
    try:
        return sorted(path for path in folder.glob(pattern) if path.is_dir())
    except OSError:
        return []
