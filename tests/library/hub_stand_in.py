"""The Hugging Face Hub on 127.0.0.1: repositories with their cards, files, redirects, closed doors and bad days.

What it answers is what huggingface.co answers, as far as a download goes: /api/models/ID, /ID/resolve/REVISION/FILE with large
files sent on to another server, ranges, and the headers from which huggingface_hub makes its errors.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = re.compile(r".+\.(safetensors|gguf|bin|onnx|h5|msgpack)$")  # what the Hub keeps as LFS whatever its size
TOKEN = "hf_GoodTokenOfAnAccount"


@dataclass
class Repository:
    """One model on the Hub. gated, private: then only those who send TOKEN read its files."""

    files: dict[str, bytes]
    card: dict[str, Any] = field(default_factory=lambda: {"license": "apache-2.0"})
    tags: list[str] = field(default_factory=list)
    gguf: dict[str, Any] | None = None
    gated: bool | str = False
    private: bool = False
    commit: str = COMMIT
    claimed_sizes: dict[str, int] = field(default_factory=dict)  # where the Hub tells another size than it sends

    @classmethod
    def of(cls, folder: Path, **more: Any) -> Repository:
        """What lies in a folder, and what no program should ask for."""
        files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        return cls({**files, **UNWANTED}, **more)


UNWANTED = {
    "pytorch_model.bin": b"\x80\x04a pickle that must never be asked for",
    "training_args.bin": b"\x80\x04another",
    "tf_model.h5": b"TensorFlow",
    "flax_model.msgpack": b"Flax",
    "onnx/model.onnx": b"ONNX",
    "modeling_evil.py": b"raise SystemExit('run')",
    "logo.png": b"\x89PNG",
    "README.md": b"# a model",
    ".gitattributes": b"*.safetensors filter=lfs",
}


class Asked(NamedTuple):
    """One request: what for, and how many bytes of a file went out for it."""

    method: str
    server: str  # "hub" | "cdn"
    what: str  # "api" or a file's name
    start: int  # the first byte asked for
    token: str | None
    sent: list[int]


class ModelHub:
    """Two servers, the Hub and where it keeps its large files, and a log of what they were asked."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.moved: dict[str, str] = {}  # old name -> new name
        self.log: list[Asked] = []
        self.cuts: dict[str, int] = {}  # file -> how many answers still end halfway
        self.wrong: set[str] = set()  # files that come with a byte changed
        self.stalls: set[str] = set()  # what stops halfway until `go_on` is set: files, or "api"
        self.statuses: dict[str, int] = {}  # what is answered with a status alone: files, or "api"
        self.no_ranges = False
        self.words: bytes | None = None  # what the API says instead of JSON about a model
        self.go_on = threading.Event()
        self._servers = {name: ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, name)) for name in ("hub", "cdn")}
        self._threads = [
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}) for server in self._servers.values()
        ]

    def __enter__(self) -> ModelHub:
        for server in self._servers.values():
            server.daemon_threads = False  # server_close joins them: no thread outlives its test
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.go_on.set()
        for server in self._servers.values():
            server.shutdown()
        for thread in self._threads:
            thread.join()
        for server in self._servers.values():
            server.server_close()

    def url(self, server: str = "hub") -> str:
        """The address of one of the two."""
        return f"http://127.0.0.1:{self._servers[server].server_port}"

    def asked_for(self) -> set[str]:
        """All files that were asked for, by either method at either server."""
        return {asked.what for asked in self.log} - {"api"}

    def served(self, name: str) -> int:
        """Bytes of a file that went out so far."""
        return sum(asked.sent[0] for asked in self.log if asked.what == name)


def _handler(hub: ModelHub, server: str) -> type[BaseHTTPRequestHandler]:
    return type("Handler", (_Answer,), {"hub": hub, "where": server})


class _Answer(BaseHTTPRequestHandler):
    hub: ModelHub
    where: str

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path).strip("/")
        api = re.fullmatch(r"api/models/(.+?)(/revision/(.+))?", path)
        file = re.fullmatch(r"(.+?)/resolve/([^/]+)/(.+)", path)
        try:
            if self.where == "hub" and api:
                self._about(api[1])
            elif file:
                self._file(file[1], file[2], file[3])
            else:
                self._refuse(404, "what is this")
        except ConnectionError:  # the other side was stopped, as it should be
            self.close_connection = True

    def _token(self) -> str | None:
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        return token if kind == "Bearer" else None

    def _note(self, what: str) -> Asked:
        start = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        asked = Asked(self.command, self.where, what, int(start[1]) if start else 0, self._token(), [0])
        self.hub.log.append(asked)
        return asked

    def _about(self, name: str) -> None:
        asked = self._note("api")
        if "api" in self.hub.stalls:
            self.hub.go_on.wait()
        if "api" in self.hub.statuses:
            return self._refuse(self.hub.statuses["api"])
        if name in self.hub.moved:
            return self._send_on(f"{self.hub.url()}/api/models/{self.hub.moved[name]}", 307)
        repository = self._known(name, asked.token)
        if repository is None:
            return None
        about = {
            "id": name,
            "modelId": name,
            "sha": repository.commit,
            "private": repository.private,
            "gated": repository.gated,
            "tags": repository.tags,
            "cardData": repository.card,
            "siblings": [_sibling(one, content, repository) for one, content in repository.files.items()],
            **({"gguf": repository.gguf} if repository.gguf else {}),
        }
        return self._send(200, self.hub.words or json.dumps(about).encode(), {"Content-Type": "application/json"})

    def _known(self, name: str, token: str | None) -> Repository | None:
        """The repository, or None once a refusal has been sent: nobody is told whether a private one is there."""
        repository = self.hub.repositories.get(name)
        if token not in (None, TOKEN):
            self._refuse(401, "Invalid credentials in Authorization header")
        elif repository is not None and (token or not repository.private):
            return repository
        elif token:
            self._refuse(404, "Repository not found", "RepoNotFound")
        else:
            self._refuse(401, "Invalid username or password.", "RepoNotFound")
        return None

    def _file(self, name: str, revision: str, file: str) -> None:
        asked = self._note(file)
        if file in self.hub.statuses:
            return self._refuse(self.hub.statuses[file])
        repository = self.hub.repositories[name] if self.where == "cdn" else self._known(name, asked.token)
        if repository is None:
            return None
        if revision not in (repository.commit, "main"):
            return self._refuse(404, "Invalid rev id", "RevisionNotFound")
        if file not in repository.files:
            return self._refuse(404, "Entry not found", "EntryNotFound")
        if repository.gated and self.where == "hub" and not asked.token:
            return self._refuse(401, f"Access to model {name} is restricted.", "GatedRepo")
        content, sum_ = repository.files[file], _sums(repository.files[file])[bool(LARGE.match(file))]
        tags = {"X-Repo-Commit": repository.commit, "ETag": f'"{sum_}"'}
        if self.where == "hub" and LARGE.match(file):
            tags |= {"X-Linked-Size": str(len(content)), "X-Linked-Etag": f'"{sum_}"'}
            return self._send_on(f"{self.hub.url('cdn')}{self.path}", 302, tags)
        return self._send_file(file, content, asked, tags)

    def _send_file(self, file: str, content: bytes, asked: Asked, tags: dict[str, str]) -> None:
        if file in self.hub.wrong:
            content = bytes([content[0] ^ 1]) + content[1:]
        start = 0 if self.hub.no_ranges else asked.start
        part = content[start:]
        if start:
            tags = {**tags, "Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
        self._head(206 if start else 200, len(part), {**tags, "Accept-Ranges": "bytes"})
        if asked.method == "HEAD":
            return
        half = (len(part) + 1) // 2
        self.wfile.write(part[:half])
        asked.sent[0] += half
        if file in self.hub.stalls:
            self.hub.go_on.wait()
        if self.hub.cuts.get(file, 0) > 0:
            self.hub.cuts[file] -= 1
            return
        self.wfile.write(part[half:])
        asked.sent[0] += len(part) - half

    def _send_on(self, address: str, status: int, tags: dict[str, str] | None = None) -> None:
        self._send(status, b"", {"Location": address, **(tags or {})})

    def _refuse(self, status: int, words: str = "", code: str | None = None) -> None:
        self._send(status, b"", {"X-Error-Message": words, **({"X-Error-Code": code} if code else {})})

    def _send(self, status: int, content: bytes, tags: dict[str, str]) -> None:
        self._head(status, len(content), tags)
        if self.command != "HEAD":
            self.wfile.write(content)

    def _head(self, status: int, length: int, tags: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**tags, "Content-Length": str(length)}.items():
            self.send_header(name, value)
        self.end_headers()


def _sums(content: bytes) -> tuple[str, str]:
    """What git and LFS know a file by."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest(), hashlib.sha256(content).hexdigest()


def _sibling(name: str, content: bytes, repository: Repository) -> dict[str, Any]:
    size = repository.claimed_sizes.get(name, len(content))
    blob, sha256 = _sums(content)
    lfs = {"lfs": {"size": size, "sha256": sha256, "pointerSize": 134}} if LARGE.match(name) else {}
    return {"rfilename": name, "size": size, "blobId": blob, **lfs}
