"""What the Hub's program ends with, as a sentence about the repository and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attnviz.errors import DownloadError
from attnviz.library.hub_process import run_hub_program
from attnviz.library.progress import Refused
from attnviz.library.repository_name import endpoint, page_of

if TYPE_CHECKING:
    from pathlib import Path

    from attnviz.library.progress import Watch

PATIENCE: Final = 30.0  # seconds to the first bytes; without a network a name server alone can take ten

_ACCOUNT: Final = "set the environment variable HF_TOKEN to a token of an account that may read it"
# What to say for each code that hub_program.py ends with.
_SENTENCES: Final = {
    "missing": f"{{repository}}: the Hub has no such model for everyone to see; check the name, or if it is private {_ACCOUNT}.",
    "gated": "{repository}: gated; accept its terms on its page, {page}, then set the environment variable HF_TOKEN to a token "
    "of that account.",
    "disabled": "{repository}: the Hub has taken this repository down; look for another copy of the model.",
    "forbidden": f"{{repository}}: the Hub does not let you read it; look at its page, {{page}}, or {_ACCOUNT}.",
    "token": "{repository}: the Hub does not know the token in HF_TOKEN or in the token file; make a new one or remove it.",
    "changed": "{repository}: it was changed while it was looked at; look it up again.",
    "busy": "{repository}: the Hub has had too many questions from here; try again in some minutes.",
    "server": "{repository}: the Hub has a fault of its own ({detail}); try again later.",
    "no connection": "{repository}: no connection to {endpoint}; connect to the network and try again.",
    "no answer": "{repository}: no answer from {endpoint}; check the network and try again.",
    "cut": "{repository}: the connection was cut; try again, it goes on where it stopped.",
    "size": "{repository}: what arrived is larger than what was offered ({detail}); look it up again.",
    "full": "{repository}: the disk is full; make room or set ATTNVIZ_DATA to a folder on another disk, and try again.",
    "config": "{repository}: its config.json is none ({detail}); look for another repository of the model.",
    "strange": "{repository}: {endpoint} did not answer as the Hub does ({detail}); check HF_ENDPOINT and the network.",
    "offline": "{repository}: {detail} is set, so nothing is fetched; unset it and try again.",
    "other": "{repository}: could not be fetched ({detail}); try again.",
}


def run_job(job: dict[str, Any], folder: Path, watch: Watch, total: int | None = None) -> None:
    """Does one job of hub_program.py, whose files go into `folder`; `watch` is told how many bytes lie there.

    Raises DownloadError with a sentence about `job["repository"]`, Cancelled once it is called off.
    """
    folder.mkdir(exist_ok=True)
    try:
        run_hub_program(job, folder, watch, PATIENCE, total)
    except Refused as refusal:
        code, colon, detail = str(refusal).partition(": ")
        if colon and code in _SENTENCES:
            raise _sentence(job["repository"], code, detail) from refusal
        code = "no answer" if str(refusal).startswith("no answer") else "other"
        raise _sentence(job["repository"], code, str(refusal)) from refusal


def _sentence(repository: str, code: str, detail: str) -> DownloadError:
    words = _SENTENCES[code].format(repository=repository, page=page_of(repository), endpoint=endpoint(), detail=detail)
    return DownloadError(words)
