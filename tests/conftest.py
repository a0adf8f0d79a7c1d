"""What all tests share: the real model, and no mercy for warnings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from attnviz.engine.model import Model, load_model
from attnviz.library.discovery import default_model

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture(scope="session")
def minilm_path() -> Path:
    """The folder of all-MiniLM-L6-v2 on this machine."""
    path = default_model()
    assert path is not None, "the tests need the default model; get it with: attnviz get minilm"
    return path


@pytest.fixture(scope="session")
def minilm(minilm_path: Path) -> Model:
    """The real all-MiniLM-L6-v2, loaded once."""
    return load_model(minilm_path)
