"""Where models lie: the program's own data folder and the Hugging Face cache."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_data_dir

DATA_VARIABLE = "ATTNVIZ_DATA"


def data_folder() -> Path:
    """The folder this program keeps its data in; the environment variable ATTNVIZ_DATA moves it."""
    chosen = os.environ.get(DATA_VARIABLE)
    return Path(chosen).expanduser() if chosen else Path(user_data_dir("attnviz", appauthor=False))


def models_folder() -> Path:
    """The folder of the program's own models, one folder each; it may not exist yet."""
    return data_folder() / "models"


def hugging_face_cache() -> Path:
    """The folder of the Hugging Face cache that holds `models--owner--name`; it may not exist.

    The variables and their order are those of huggingface_hub/constants.py, read here so that finding a model
    does not import huggingface_hub.
    """
    for variable, below in (
        ("HF_HUB_CACHE", ""),
        ("HUGGINGFACE_HUB_CACHE", ""),
        ("HF_HOME", "hub"),
        ("XDG_CACHE_HOME", "huggingface/hub"),
    ):
        if value := os.environ.get(variable):
            return Path(os.path.expandvars(value)).expanduser() / below
    return Path.home() / ".cache" / "huggingface" / "hub"


def hugging_face_token() -> Path:
    """The file in which huggingface_hub keeps a token, by its own variables; it may not exist, and it is never opened here."""
    for variable, below in (("HF_TOKEN_PATH", ""), ("HF_HOME", "token"), ("XDG_CACHE_HOME", "huggingface/token")):
        if value := os.environ.get(variable):
            return Path(os.path.expandvars(value)).expanduser() / below
    return Path.home() / ".cache" / "huggingface" / "token"
