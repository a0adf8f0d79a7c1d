"""Putting a finished model where it belongs, whole or not at all."""

from __future__ import annotations

import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def put_in_place(copy: Path, target: Path, is_sound: Callable[[], bool]) -> None:
    """Renames the folder `copy` to `target`; what was there goes beside the copy, as "replaced", to be removed with the rest.

    is_sound: whether what is at `target` will do, should another process have been faster. Raises OSError if it will not.
    """
    replaced = copy.with_name("replaced")
    shutil.rmtree(replaced, ignore_errors=True)
    with suppress(FileNotFoundError):
        target.rename(replaced)  # a damaged or older copy
    try:
        copy.rename(target)
    except OSError:
        if not is_sound():
            raise
