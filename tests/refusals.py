"""What a command does with what it cannot do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest


def refusal(capsys: pytest.CaptureFixture[str], out: Path, run: Callable[..., int], *arguments: object) -> str:
    """The one line on stderr of a command that exits with 2, prints nothing else and leaves all that is in `out` as it was."""
    before = contents(out)
    status = run(*arguments)
    printed = capsys.readouterr()
    assert status == 2
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    assert line.startswith("attnviz")
    assert "Traceback" not in line
    assert contents(out) == before
    return line


def contents(folder: Path) -> dict[Path, bytes | None]:
    """What is in a folder: the bytes of files, None for what is none."""
    return {path: path.read_bytes() if path.is_file() else None for path in folder.iterdir()}
