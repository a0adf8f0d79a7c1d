"""The command line's entry. Each error is one line on stderr and exit status 2."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from attnviz.cli.parser import make_parser
from attnviz.errors import AttnvizError, Cancelled

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status: 0 done, 2 wrong usage or input, 130 interrupted, 141 nobody reads what it prints."""
    options = make_parser().parse_args(arguments)
    try:
        status = options.run(options)
        print(end="", flush=True)
        return status
    except AttnvizError as error:
        print("attnviz:", " ".join(str(error).splitlines()), file=sys.stderr)
        return 2
    except ImportError as error:
        if "PySide6" not in str(error) and ".so" not in str(error):
            raise
        print(f"attnviz: Qt cannot start ({error}); install the system libraries that README.md lists.", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # As `| head` leaves it. Python flushes once more at the end, and would say that it cannot.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (Cancelled, KeyboardInterrupt) as stop:
        print(f"attnviz: stopped{f'; {stop}' if str(stop) else ''}.", file=sys.stderr)
        return 130
