"""The way over the Hugging Face Hub: hf_hub_download, in a process of its own.

Run as a program (`hub.py REPOSITORY FOLDER NEEDED,... OPTIONAL,...`) this file is that process. It then imports
huggingface_hub and nothing of attnviz, and a failure is its last line on stderr.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from attnviz.library.minilm import Download
    from attnviz.library.progress import Watch

PATIENCE = 8.0  # seconds to the first bytes; without a network a name server can keep a program for half a minute
ANSWER_WITHIN = 5  # seconds for each request that only asks what a file is
OFFLINE_VARIABLES = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
YES = ("1", "ON", "YES", "TRUE")  # huggingface_hub/constants.py, ENV_VARS_TRUE_VALUES


def take_from_hub(download: Download, target: Path, watch: Watch) -> None:
    """Fills `target` from the Hub; HF_ENDPOINT and the proxy variables are honoured. Raises Refused if that fails."""
    from attnviz.library.child import python_command, run_watched
    from attnviz.library.progress import Refused

    for variable in OFFLINE_VARIABLES:
        if os.environ.get(variable, "").upper() in YES:
            raise Refused(f"{variable} is set")
    own_home = target.with_name(f"{target.name}.home")
    run_watched(
        python_command(__file__, download.repository, str(target), ",".join(download.needed), ",".join(download.optional)),
        target,
        watch,
        total=download.weights_size,
        patience=PATIENCE,
        environment={
            "HF_HOME": str(own_home),  # no token, lock or note outside the temporary folder
            "HF_HUB_DISABLE_XET": "1",  # Xet writes its own cache, and a file that does not grow while it arrives
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
        },
    )
    _remove_notes(target)


def _remove_notes(target: Path) -> None:
    """The library leaves `.cache/huggingface` beside the files; it is of no use in a folder that is moved."""
    import shutil

    shutil.rmtree(target / ".cache", ignore_errors=True)


def _download(repository: str, folder: str, needed: list[str], optional: list[str]) -> None:
    from huggingface_hub import constants, hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError

    constants.DOWNLOAD_CHUNK_SIZE = 1 << 16  # its 10 MiB would show nine steps in all
    for name in (*needed, *optional):
        try:
            # The repository is public, and a token that has run out would be refused. force_download leaves out the
            # library's second round of questions, which takes 25 s without a network.
            hf_hub_download(repository, name, local_dir=folder, token=False, force_download=True, etag_timeout=ANSWER_WITHIN)
        except EntryNotFoundError:
            if name in needed:
                raise


def _main(repository: str, folder: str, needed: str, optional: str) -> int:
    try:
        _download(repository, folder, needed.split(","), optional.split(",") if optional else [])
    except Exception as error:  # the one place where this process turns exceptions into words
        print(_in_words(error.__cause__ or error), file=sys.stderr)
        return 1
    return 0


def _in_words(error: BaseException) -> str:
    kind = type(error).__name__  # httpx's or requests' by the library's version, so the name is what can be asked
    if "Timeout" in kind:
        return "no answer"
    if kind.startswith("Connect"):
        return "no connection"
    return f"{kind}: {str(error).strip().partition(chr(10))[0]}"


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
