from __future__ import annotations

import os
import socket
import threading
from typing import TYPE_CHECKING

import pytest
from hub_stand_in import ModelHub
from library_stand_ins import Hub

from attnviz.library import ollama

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A machine with no model on it and no network: `data`, `hf`, `person` (the home), `site` and `wheels` below a temporary
    folder."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "OLLAMA_MODELS", "HF_TOKEN", "HF_TOKEN_PATH", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(ollama, "SERVICE_FOLDER", tmp_path / "service")
    with socket.socket() as nobody:  # bound but not listening: refuses every connection
        nobody.bind(("127.0.0.1", 0))
        settings = {
            "ATTNVIZ_DATA": tmp_path / "data",
            "HOME": tmp_path / "person",
            "USERPROFILE": tmp_path / "person",
            "HF_HOME": tmp_path / "hf",
            "HF_ENDPOINT": f"http://127.0.0.1:{nobody.getsockname()[1]}",
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": tmp_path / "wheels",
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, str(value))
        (tmp_path / "site").mkdir()
        (tmp_path / "wheels").mkdir()
        monkeypatch.syspath_prepend(tmp_path / "site")
        yield tmp_path


@pytest.fixture
def hub(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """The Hub, on this machine."""
    with Hub() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server
        server.go_on.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def model_hub(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelHub]:
    """The Hub with repositories, on this machine."""
    with ModelHub() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url())
        yield server
