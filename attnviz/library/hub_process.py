"""The Hub's program in a process of its own: started with a job, watched, and stopped when it is called off."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from attnviz.library.child import python_command, run_watched
from attnviz.library.places import hugging_face_token
from attnviz.library.progress import Refused

if TYPE_CHECKING:
    from attnviz.library.progress import Watch

PROGRAM: Final = Path(__file__).with_name("hub_program.py")
OFFLINE_VARIABLES: Final = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
YES: Final = ("1", "ON", "YES", "TRUE")  # huggingface_hub/constants.py, ENV_VARS_TRUE_VALUES


def run_hub_program(job: dict[str, Any], folder: Path, watch: Watch, patience: float, total: int | None = None) -> None:
    """Does one job of hub_program.py, whose files go into `folder`; `watch` is told how many bytes lie there.

    HF_ENDPOINT and the proxy variables are honoured. patience: seconds to the first bytes. Raises Refused with a code of the
    program's and a few words, "code: detail", Cancelled once it is called off: the process is then ended.
    """
    for variable in OFFLINE_VARIABLES:
        if os.environ.get(variable, "").upper() in YES:
            raise Refused(f"offline: {variable}")
    own = folder.with_name(f"{folder.name}.job")
    own.mkdir(exist_ok=True)
    path = own / "job.json"
    path.write_text(json.dumps({**job, "folder": str(folder), "parent": os.getpid()}), encoding="utf-8")
    command, environment = python_command(str(PROGRAM), str(path)), _environment(own / "home")
    try:
        run_watched(command, folder, watch, total=total, patience=patience, environment=environment)
    finally:
        shutil.rmtree(own, ignore_errors=True)


def _environment(home: Path) -> dict[str, str]:
    return {
        "HF_HOME": str(home),  # no lock or note outside the temporary folder
        "HF_TOKEN_PATH": str(hugging_face_token()),  # read where it lies; it is not copied
        "HF_HUB_DISABLE_XET": "1",  # Xet writes its own cache, and a file that does not grow while it arrives
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_DEBUG": "0",  # would print requests
        "PYTHONWARNINGS": "ignore",  # the last line is the failure
        "PYTHONIOENCODING": "utf-8",
    }
