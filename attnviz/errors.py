"""What went wrong, as one sentence a person can act on.

Each message says what happened, where, and what to do next. The window shows it as it stands, the command line prints it
on stderr and exits with 2. Anything that is not an AttnvizError is a defect of this program.
"""

from __future__ import annotations


class AttnvizError(Exception):
    """The common kind; `str(error)` is the sentence to show."""


class InputError(AttnvizError):
    """A text, argument or setting that cannot be used."""


class ModelError(AttnvizError):
    """A folder or file that is not a model this program can run."""


class DownloadError(AttnvizError):
    """A model that could not be fetched, or did not arrive whole."""


class ExportError(AttnvizError):
    """A figure or data file that could not be written."""


class Cancelled(Exception):
    """The person or the program called the work off. Not an error: nothing is shown."""


def never() -> bool:
    """The answer of somebody who calls nothing off."""
    return False
