"""What all tests share: the real model, and no mercy for warnings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from attnviz.engine.model import Model, load_model
from attnviz.library.discovery import default_model

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

# The same cases for everyone: a run that passed once passes again, until the code or the test changes.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


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
