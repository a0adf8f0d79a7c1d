"""A session as a file: all that a person asked for and how it is shown, and of which model. Small JSON, written whole or not.

msgspec takes the values apart and puts them together, each of its declared type. It is loaded when a session is first read or
saved, which a start does not pay for. Python's own json writes the text, since a text or a path may hold lone surrogates, which
JSON can spell and UTF-8 cannot.
"""

from __future__ import annotations

import json
import re
import stat
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from attnviz import __version__
from attnviz.engine.folder import model_name
from attnviz.errors import InputError, ModelError
from attnviz.library.discovery import find_models
from attnviz.library.whole import write_whole
from attnviz.session.sound import sound
from attnviz.session.state import Wish, asking

if TYPE_CHECKING:
    from collections.abc import Iterable

FORMAT: Final = "attnviz session"
VERSION: Final = 1
LARGEST: Final = 8 << 20  # bytes; a session has a few thousand, one of the longest text with many weights set by hand some 100,000

_OTHER: Final = "choose a file that attnviz saved."
_AGAIN: Final = "save the session again, or take another copy of the file."


@dataclass(frozen=True)
class SavedModel:
    """Which model a session was saved with, besides its path. sha256: of its weights; None where nobody had read them."""

    name: str
    sha256: str | None = None


@dataclass(frozen=True)
class Saved:
    """What is in a session file. wish: its models by the paths that they had; model: the first one's marks, None for none;
    program: the version that wrote the file; file: the session file that a kept one belongs to."""

    wish: Wish
    model: SavedModel | None = None
    program: str = __version__
    file: Path | None = None


@dataclass(frozen=True)
class _Model:
    path: Path
    name: str
    sha256: str | None = None


@dataclass(frozen=True)
class _Head:
    """What a file has beside the fields of the wish."""

    format: str
    version: int
    model: _Model | None
    program: str = ""
    file: Path | None = None


def save_session(path: Path, wish: Wish, model: SavedModel | None, file: Path | None = None) -> None:
    """Write a session file, replacing what was there. Raises ExportError if the place cannot be written."""
    write_whole(path, encode(Saved(wish, model, file=file)))


def read_session(path: Path) -> Saved:
    """What is in a session file. Raises InputError, which says what is wrong with it and what to do."""
    try:
        return decode(_bytes_of(path))
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def located(saved: Saved, recent: Iterable[str | Path] = ()) -> Wish:
    """What a session asks for, of its models where they are on this machine: at their paths, or else by their names.

    recent: as for `find_models`. Raises ModelError for a model that is nowhere.
    """
    wish, kept = saved.wish, _kept_model(saved.wish)
    if wish.model is None:
        return wish
    named = {} if kept is None else {kept: model_name(kept)}
    named[wish.model] = model_name(wish.model) if saved.model is None else saved.model.name
    return _moved(wish, {path: _place_of(path, name, recent) for path, name in named.items()})


def read_with(saved: Saved, model: Path) -> Saved:
    """The same session with the model at another path: as it is with one of the same name, which is taken for the same model; as if
    another one had been chosen in its window with any other."""
    wish = saved.wish
    if saved.model is not None and model_name(model) == saved.model.name:
        return replace(saved, wish=_moved(wish, {wish.model: model}))
    return replace(saved, wish=asking(wish, model=model), model=SavedModel(model_name(model)))


def encode(saved: Saved) -> bytes:
    """The content of a session file."""
    import msgspec

    wish = msgspec.to_builtins(saved.wish, enc_hook=_written, order="deterministic")
    path = wish.pop("model")
    model = None if path is None else {"path": path, "name": model_name(saved.wish.model), "sha256": None}
    if model is not None and saved.model is not None:
        model.update(msgspec.to_builtins(saved.model))
    head = {"format": FORMAT, "version": VERSION, "program": saved.program, "model": model}
    if saved.file is not None:
        head["file"] = str(saved.file)
    text = json.dumps(head | wish, ensure_ascii=False, allow_nan=False, indent=1)
    return (re.sub("[\ud800-\udfff]", _escaped, text) + "\n").encode()


def decode(data: bytes) -> Saved:
    """What the content of a session file says. Raises InputError, which says what is wrong with it."""
    import msgspec

    content = _json_of(data)
    _check_form(content)
    fields = {name: content[name] for name in content if name not in _HEAD}
    try:
        head = msgspec.convert({name: content[name] for name in content if name in _HEAD}, _Head, dec_hook=_read)
        model = None if head.model is None else content["model"]["path"]
        wish = msgspec.convert({**fields, "model": model}, Wish, dec_hook=_read)
    except msgspec.ValidationError as error:
        raise InputError(_sentence_of(str(error))) from error
    _check_known(fields, msgspec.to_builtins(wish, enc_hook=_written, order="deterministic"))
    _check_known(content["model"], {"path": "", "name": "", "sha256": ""}, "model.")
    marks = None if head.model is None else SavedModel(head.model.name, head.model.sha256)
    return Saved(sound(wish), marks, head.program, head.file)


_HEAD: Final = frozenset(_Head.__dataclass_fields__)


def _bytes_of(path: Path) -> bytes:
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise InputError(f"a folder and no session file; {_OTHER}")
        if not stat.S_ISREG(found.st_mode):  # to open a pipe waits for whoever writes into it
            raise InputError(f"not a regular file; {_OTHER}")
        if found.st_size > LARGEST:
            raise InputError(f"has {found.st_size:,} bytes, and no session has more than {LARGEST:,}; {_OTHER}")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise InputError("no such file; choose a session that is there.") from error
    except (OSError, ValueError) as error:  # ValueError: a path that no system has
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise InputError(f"cannot be read ({reason}); see that it may be read, or choose another session.") from error


def _json_of(data: bytes) -> Any:
    """The values of a JSON text."""
    if not data.strip():
        raise InputError(f"the file is empty; {_AGAIN}")
    text = data.decode("utf-8-sig", errors="replace")
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        if text.lstrip().startswith("{") and isinstance(error, json.JSONDecodeError) and _is_at_end(error):
            raise InputError(f"the file ends in the middle; {_AGAIN}") from error
        raise InputError(f"not an attnviz session, nor any JSON; {_OTHER}") from error


def _is_at_end(error: json.JSONDecodeError) -> bool:
    """Whether a text is no JSON only because it ends too soon: within a word, an escape or a string."""
    return error.msg.startswith("Unterminated string") or len(error.doc) - error.pos < len("-Infinity")


def _check_form(content: object) -> None:
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise InputError(f"JSON, but not an attnviz session; {_OTHER}")
    version = content.get("version")
    if isinstance(version, int) and version > VERSION:
        raise InputError(
            f"saved by a newer attnviz (version {version} of the format; this one reads {VERSION}); update attnviz to open it."
        )
    if version != VERSION or isinstance(version, bool):
        raise InputError(f'"version" of the format is {version!r}, and there is only {VERSION}; {_AGAIN}')


def _check_known(given: object, known: object, place: str = "") -> None:
    """Raises InputError for a name that nothing was read from: what is misspelt must not be passed over."""
    if not isinstance(given, dict) or not isinstance(known, dict):
        return
    for name, value in given.items():
        if name not in known:
            raise InputError(f'"{place}{name}" means nothing to this attnviz; take it out of the file, or update attnviz.')
        _check_known(value, known[name], f"{place}{name}.")


def _sentence_of(message: str) -> str:
    """What msgspec says of a value, such as "Expected `int`, got `str` - at `$.view.layer`", as a sentence."""
    what, _, place = message.replace("`", "").partition(" - at ")
    place = place.removeprefix("$").removeprefix(".")
    found, missing, name = what.partition("missing required field ")
    if missing:
        return f'"{place}{"." if place else ""}{name}" is missing; {_AGAIN}'
    return f'"{place}" cannot be used ({found[:1].lower()}{found[1:]}); {_AGAIN}'


def _written(value: object) -> str:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not part of a session")


def _read(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise ValueError(f"expected str, got {type(value).__name__}")


def _kept_model(wish: Wish) -> Path | None:
    """The model of a kept run that a wish compares with."""
    return wish.against.kept.model if wish.against is not None and wish.against.kept is not None else None


def _moved(wish: Wish, places: dict[Path, Path]) -> Wish:
    """The same wish with its models at other paths."""
    kept = _kept_model(wish)
    if kept in places:
        wish = replace(wish, against=replace(wish.against, kept=replace(wish.against.kept, model=places[kept])))
    return replace(wish, model=places.get(wish.model, wish.model))


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _place_of(path: Path, name: str, recent: Iterable[str | Path]) -> Path:
    """The path of a model, or of one with its name where nothing is there any more."""
    try:
        if path.exists():
            return path
    except OSError:  # a name too long, a folder that may not be entered
        pass
    for model in find_models(recent):
        if model.why_not is None and name.casefold() in (model.name.casefold(), model_name(model.path).casefold()):
            return model.path
    raise ModelError(
        f'"{name}", the model of this session, is neither at {path} nor among the models of this machine; '
        "fetch it or open it from where it is now, and then the session again."
    )
