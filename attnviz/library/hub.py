"""The default model's way over the Hugging Face Hub."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attnviz.library.hub_process import run_hub_program
from attnviz.library.progress import Refused

if TYPE_CHECKING:
    from pathlib import Path

    from attnviz.library.minilm import Download
    from attnviz.library.progress import Watch

PATIENCE: Final = 8.0  # seconds to the first bytes; without a network a name server can keep a program for half a minute
_IN_SHORT: Final = ("no answer", "no connection")  # codes that say enough


def take_from_hub(download: Download, target: Path, watch: Watch) -> None:
    """Fills `target` from the Hub; HF_ENDPOINT and the proxy variables are honoured. Raises Refused if that fails."""
    job = {"verb": "take", "repository": download.repository, "needed": download.needed, "optional": download.optional}
    try:
        run_hub_program(job, target, watch, PATIENCE, download.weights_size)
    except Refused as refusal:
        code, _, detail = str(refusal).partition(": ")
        if code == "offline":
            raise Refused(f"{detail} is set") from refusal
        raise Refused(code if code in _IN_SHORT else detail or code) from refusal
