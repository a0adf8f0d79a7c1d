"""The repository that a person means: owner/name, or the address of its page."""

from __future__ import annotations

import os
import re
from typing import Final
from urllib.parse import unquote, urlsplit

from attnviz.errors import DownloadError

HUB: Final = "https://huggingface.co"
_HOSTS: Final = ("huggingface.co", "www.huggingface.co", "hf.co")
_OTHER_KINDS: Final = {"datasets": "a data set", "spaces": "a Space", "buckets": "a bucket", "collections": "a collection"}
# As huggingface_hub/utils/_validators.py has it: letters, digits and -._ inside, not -- or .. anywhere.
_PART: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?")


def endpoint() -> str:
    """The Hub's address; HF_ENDPOINT moves it."""
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or HUB


def page_of(repository: str) -> str:
    """The address of a repository's page."""
    return f"{endpoint()}/{repository}"


def read_repository(text: str) -> str:
    """The repository in what was typed or pasted: "owner/name", a bare old "name", or an address of any of its pages.

    Raises DownloadError for anything else, before a network is used.
    """
    asked = text.strip()
    path = _path_of(asked)
    kind = _OTHER_KINDS.get(path.split("/")[0]) if "/" in path else None
    if kind:
        raise DownloadError(f'"{_short(asked)}" is {kind}, not a model; give the owner/name of a model.')
    parts = path.split("/")
    if path != asked:  # below an address there may be a page of the repository: /tree/main, /blob/main/config.json
        parts = parts[:2]
    repository = "/".join(parts)
    if not is_repository(repository):
        raise DownloadError(
            f'"{_short(asked)}" names no repository; give owner/name, such as openai-community/gpt2, or the address of its page.'
        )
    return repository


def is_repository(name: str) -> bool:
    """Whether this can be the name of a repository, and so that of a folder."""
    parts = name.split("/")
    return len(parts) <= 2 and all(map(_PART.fullmatch, parts)) and "--" not in name and ".." not in name


def _path_of(asked: str) -> str:
    """What follows the host in an address; any other text as it is."""
    if "://" not in asked and asked.split("/")[0].lower() not in _HOSTS:
        return asked
    address = urlsplit(asked if "://" in asked else f"https://{asked}")
    own = urlsplit(endpoint())
    if address.scheme in ("http", "https") and address.netloc.lower() in (*_HOSTS, own.netloc.lower()):
        return unquote(address.path.strip("/"))
    raise DownloadError(f'"{_short(asked)}" is no address of the Hugging Face Hub; give owner/name, such as openai-community/gpt2.')


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else f"{text[:57]}…"
