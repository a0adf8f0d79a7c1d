"""What the `tokenizers` library says of an unsound tokenizer, as one sentence."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from attnviz.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def sound(where: str) -> Iterator[None]:
    """Raises ModelError for whatever the library says: it has bare exceptions, and for an entry that its own tables lack a panic,
    which is no Exception. where: the tokenizer's file."""
    try:
        yield
    except ModelError:
        raise
    except BaseException as error:
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            raise ModelError(f"{where}: not a readable tokenizer ({error}); get the model's files again.") from error
        raise
