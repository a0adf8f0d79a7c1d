"""What the verbs that measure heads have in common: the model, the corpus, and the measuring with its progress."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from attnviz.cli.interrupt import interruptible
from attnviz.cli.options import count
from attnviz.cli.progress import ProgressLine
from attnviz.errors import Cancelled

if TYPE_CHECKING:
    import argparse

    from attnviz.corpus.corpus import Corpus
    from attnviz.engine.model import Model
    from attnviz.probing.roles import HeadRoles

KEPT: Final = "what was measured is kept, and the same command goes on from there"


def add_what_to_measure(parser: argparse.ArgumentParser) -> None:
    """Of which model, and over what."""
    parser.add_argument("--model", metavar="M", default="minilm", help="a folder, a .gguf file or a name (default: minilm)")
    parser.add_argument(
        "--corpus", metavar="FILE", type=Path, help="measure over x.jsonl or a treebank, x.conllu (default: the bundled sentences)"
    )
    parser.add_argument(
        "--muted",
        metavar="N",
        type=count,
        help="sentences on which each head is muted in turn, to see how much it matters; 0 leaves it out (default: by the model's "
        "size)",
    )


def measure(options: argparse.Namespace, corpus: Corpus) -> tuple[Model, HeadRoles]:
    """The model and what its heads do; the roles in short are kept for the window. Raises Cancelled after Ctrl+C."""
    from attnviz.engine.blas import keep_to_one_thread
    from attnviz.engine.model import load_model
    from attnviz.library.discovery import resolve_model
    from attnviz.probing.roles import measure_heads
    from attnviz.probing.summary import keep_summary, summary_of
    from attnviz.session.settings import load_settings

    keep_to_one_thread()
    path = resolve_model(options.model, load_settings().recent)
    line = MeasuringLine()
    try:
        with interruptible() as cancelled:
            line.tell(f"opening {path.name}")
            model = load_model(path, cancelled=cancelled)
            found = measure_heads(model, corpus, muted=options.muted, cancelled=cancelled, reading=line.reading, muting=line.muting)
            if cancelled():
                raise Cancelled
    except (Cancelled, KeyboardInterrupt):
        raise Cancelled(*([KEPT] if line.has_numbers else [])) from None
    finally:
        line.clear()
    keep_summary(summary_of(found))
    return model, found


class MeasuringLine(ProgressLine):
    """How far the measuring is, on a terminal. has_numbers: whether some were measured."""

    has_numbers = False

    def tell(self, what: str) -> None:
        """Say it where it can be written over."""
        if self.is_live:
            self.show(what)

    def reading(self, done: int, total: int) -> None:
        """So many texts of all are read."""
        self.has_numbers = True
        self.tell(f"reading: {done:,} of {total:,} texts")

    def muting(self, done: int, total: int) -> None:
        """Heads were muted in so many layers of all packs of texts."""
        self.tell(f"muting heads: {done:,} of {total:,} layers")
