"""What runs in a process of its own to ask the Hub and to fetch from it.

Run as a program with the path of a job's JSON file; it imports huggingface_hub and nothing of attnviz. A failure is its last
line on stderr, `CODE: detail`, with the codes of `hub_answers`. A token is read where huggingface_hub reads it, sent to the Hub
alone, and never printed or written.
"""

from __future__ import annotations

import errno
import io
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ANSWER_WITHIN = 10  # seconds for each question about a repository
STEP = 1 << 16  # bytes; huggingface_hub's 10 MiB would show few steps, and lose as much when it is stopped
LARGEST_CONFIG = 10 << 20
PATIENT_TRIES = 5  # cuts in a row without a byte between them
BAD_TOKEN = 401


def ask(job: dict[str, Any]) -> None:
    """Writes what the Hub says of `job["repository"]` to `job["answer"]`."""
    answer = _with_any_token(lambda token: _about(job["repository"], token))
    Path(job["answer"]).write_text(json.dumps(answer), encoding="utf-8")


def bring(job: dict[str, Any]) -> None:
    """Fetches `job["files"]`, each {name, local, size}, into `job["folder"]`, and goes on where an earlier call was stopped."""
    folder = Path(job["folder"])
    _with_any_token(lambda token: [_bring_one(job, folder, file, token) for file in job["files"]])


def take(job: dict[str, Any]) -> None:
    """Fetches `job["needed"]` and, where they are there, `job["optional"]` of a public repository into `job["folder"]`, without a
    token: one that has run out would be refused."""
    from huggingface_hub.errors import EntryNotFoundError

    for name in (*job["needed"], *job["optional"]):
        try:
            size = _metadata(job["repository"], None, name, False).size
        except EntryNotFoundError:
            if name in job["needed"]:
                raise
            continue
        with (Path(job["folder"]) / name).open("wb") as stream:
            _get(job["repository"], None, name, stream, 0, size, False)


def _with_any_token(call: Callable[[Any], Any]) -> Any:
    """What `call` gives with the person's token, or without one if the Hub does not take that."""
    try:
        return call(None)  # None: the token that huggingface_hub finds, if any
    except Exception as error:
        if _status(error) != BAD_TOKEN or not _has_token():
            raise
        refused = error
    try:
        return call(False)
    except Exception as error:
        raise refused if _status(error) == BAD_TOKEN else error from None


def _about(repository: str, token: Any) -> dict[str, Any]:
    from huggingface_hub import HfApi

    try:
        info = HfApi().model_info(repository, files_metadata=True, timeout=ANSWER_WITHIN, token=token)
    except (TypeError, KeyError, AttributeError) as error:  # JSON, but not about a model
        raise _Told("strange", f"{type(error).__name__} in its answer") from error
    files = [
        {"name": one.rfilename, "size": one.size or 0, "sha256": one.lfs.sha256 if one.lfs else None, "blob": one.blob_id}
        for one in info.siblings or []
    ]
    names = [file["name"] for file in files]
    config = _config(info.id, info.sha, token) if "config.json" in names else None
    if info.gated and config is None and names:
        _metadata(info.id, info.sha, names[0], token)  # raises if it may not be read
    return {
        "repository": info.id,
        "revision": info.sha,
        "card": info.card_data.to_dict() if info.card_data else {},
        "tags": info.tags or [],
        "gguf": getattr(info, "gguf", None) or {},
        "files": files,
        "config": config,
    }


def _config(repository: str, revision: str | None, token: Any) -> str:
    """The text of config.json. Raises what the library raises for a repository whose files may not be read."""
    text = io.BytesIO()
    _get(repository, revision, "config.json", text, 0, None, token)
    if text.tell() > LARGEST_CONFIG:
        raise _Told("config", f"{text.tell():,} bytes is no configuration")
    return text.getvalue().decode("utf-8", errors="replace")


def _metadata(repository: str, revision: str | None, name: str, token: Any) -> Any:
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    return get_hf_file_metadata(hf_hub_url(repository, name, revision=revision), token=token, timeout=ANSWER_WITHIN)


def _bring_one(job: dict[str, Any], folder: Path, file: dict[str, Any], token: Any) -> None:
    whole, part = folder / file["local"], folder / f"{file['local']}.part"
    if whole.exists():
        return
    part.touch()
    if part.stat().st_size > file["size"]:
        os.truncate(part, 0)
    tries = 0
    while (before := part.stat().st_size) < file["size"]:
        try:
            with part.open("r+b") as stream:
                stream.seek(before)
                _get(job["repository"], job["revision"], file["name"], stream, before, file["size"], token)
        except Exception as error:
            tries = 0 if part.stat().st_size > before else tries + 1
            if tries >= PATIENT_TRIES or not _is_cut(error):
                raise
        if part.stat().st_size > file["size"]:
            os.truncate(part, 0)  # a server without ranges sent all of it again, which older versions append
            if before == 0:
                raise _Told("size", file["name"])
    part.replace(whole)


def _get(repository: str, revision: str | None, name: str, stream: Any, start: int, size: int | None, token: Any) -> None:
    """Writes a file's bytes from `start` on to `stream`. hf_hub_download would do, but since version 2 it begins each file anew."""
    from huggingface_hub import constants, hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers

    constants.DOWNLOAD_CHUNK_SIZE = STEP
    headers = {**build_hf_headers(token=token), "Accept-Encoding": "identity"}  # packed bytes cannot be gone on from
    url = hf_hub_url(repository, name, revision=revision)
    http_get(url, stream, resume_size=start, headers=headers, expected_size=size)


class _Told(Exception):
    """A failure that has its code already."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def _has_token() -> bool:
    from huggingface_hub import get_token

    return get_token() is not None


def _status(error: BaseException) -> int | None:
    return getattr(getattr(error, "response", None), "status_code", None)


# By the names of the classes: the library's HTTP client, and with it the classes, changes between its versions.
_BY_KIND = {
    "GatedRepoError": "gated",
    "DisabledRepoError": "disabled",
    "RevisionNotFoundError": "changed",
    "RemoteEntryNotFoundError": "changed",
    "EntryNotFoundError": "changed",
    "RepositoryNotFoundError": "missing",
    "HFValidationError": "missing",
    "ConnectError": "no connection",
    "ConnectionError": "no connection",
    "ProxyError": "no connection",
    "SSLError": "no connection",
    "RemoteProtocolError": "cut",
    "ReadError": "cut",
    "ChunkedEncodingError": "cut",
    "JSONDecodeError": "strange",
}
_BY_STATUS = {401: "token", 403: "forbidden", 404: "changed", 416: "size", 429: "busy"}


def _is_cut(error: BaseException) -> bool:
    """Whether the connection ended before the file did."""
    return _code(error) == "cut" or "Consistency check failed" in str(error)


def _code(error: BaseException) -> str:
    if isinstance(error, _Told):
        return error.code
    status, kind = _status(error), type(error).__name__
    if status == BAD_TOKEN and _has_token() and "Invalid credentials" in str(error):
        return "token"
    for name in (one.__name__ for one in type(error).__mro__):
        if name in _BY_KIND:
            return _BY_KIND[name]
    if "Timeout" in kind:
        return "no answer"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "full"
    if status is not None:
        return "server" if status >= 500 else _BY_STATUS.get(status, "strange")
    return "cut" if "Consistency check failed" in str(error) else "other"


def _end_with(parent: int) -> None:
    """Ends this process once the one that watches it is gone. On Windows a launcher stands between the two, so not there."""
    while os.name == "posix":
        if os.getppid() != parent:
            os._exit(1)
        time.sleep(1)


def _detail(error: BaseException) -> str:
    """A few words without the request, which holds the token."""
    if _status(error) is not None:
        return f"status {_status(error)}"
    words = " ".join(str(error).split())[:160]
    return words if isinstance(error, _Told) else f"{type(error).__name__}: {words}"


def main(path: str) -> int:
    """Does the job in the file at `path`."""
    job = json.loads(Path(path).read_text(encoding="utf-8"))
    threading.Thread(target=_end_with, args=(job["parent"],), daemon=True).start()
    try:
        {"ask": ask, "bring": bring, "take": take}[job["verb"]](job)
    except Exception as error:  # the one place where this process turns exceptions into words
        print(f"{_code(error)}: {_detail(error)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
