"""The command line: `attnviz` opens the window; its verbs work without one."""

from attnviz.cli.main import main

__all__ = ["main"]
