"""The command line: `attnviz` opens the window; its verbs work without one.

Qt is imported only by what paints. Each error is one line on stderr and exit status 2.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from attnviz import __version__
from attnviz.errors import AttnvizError, Cancelled, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from attnviz.analysis.edges import Threshold
    from attnviz.engine.config import Kind
    from attnviz.library.progress import Progress
    from attnviz.session.run import Run

ABOUT = """\
See which token of a sentence looks at which, head by head, in a real transformer that runs on this machine.

Without a verb the window opens. Layers and heads are numbered from 0."""

EXAMPLES = """\
examples:
  attnviz get minilm
  attnviz get openai-community/gpt2
  attnviz --text "The animal didn't cross the street because it was tired."
  attnviz render --model minilm --text "It was tired." --layer 3 --heads 1,4 -o figure.pdf
  attnviz render --model minilm --text "It was tired." --layer 3 --head-count 4 --width 140mm -o figure.svg
  attnviz attend --model minilm --text "It was tired." --layers 0,3-5 -o attention.npz"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status: 0 done, 2 wrong usage or input, 130 interrupted."""
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except AttnvizError as error:
        print("attnviz:", " ".join(str(error).splitlines()), file=sys.stderr)
        return 2
    except ImportError as error:
        if "PySide6" not in str(error) and ".so" not in str(error):
            raise
        print(f"attnviz: Qt cannot start ({error}); install the system libraries that README.md lists.", file=sys.stderr)
        return 2
    except (Cancelled, KeyboardInterrupt):
        print("attnviz: stopped.", file=sys.stderr)
        return 130


class _Parser(argparse.ArgumentParser):
    """Says wrong usage in one line, without the usage text above it."""

    def error(self, message: str) -> NoReturn:
        hint = "; to open a model give --model before it" if message.startswith("argument VERB: invalid choice") else ""
        self.exit(2, f"{self.prog}: {' '.join(message.split())}{hint}; see {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _new(_Parser, prog="attnviz", description=ABOUT, epilog=EXAMPLES)
    parser.add_argument("--version", action="version", version=f"attnviz {__version__}")
    parser.add_argument("--model", metavar="M", help="the model to open: a folder, a .gguf file, or a name from `attnviz models`")
    parser.add_argument("--text", metavar="T", help="the sentence to start with")
    parser.set_defaults(run=_window)
    verbs = parser.add_subparsers(title="verbs", metavar="VERB")
    _add_get(verbs)
    _add_models(verbs)
    _add_attend(verbs)
    _add_render(verbs)
    return parser


def _add_get(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _new(
        verbs.add_parser,
        "get",
        help="fetch the default model, or one from the Hugging Face Hub",
        description="Fetch a model, check it and keep it in attnviz's data folder. What is there already is not fetched again, "
        "and what was interrupted goes on where it stopped.",
        epilog="The default model, minilm, is sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0, 91 MB): 6 layers of 12 heads.\n"
        "Of a repository only weights (safetensors or GGUF), configuration and tokenizer are fetched, never a pickle. For one\n"
        "that is private or gated, set HF_TOKEN to a token of an account that may read it.\n\n"
        "examples:\n"
        "  attnviz get minilm\n"
        "  attnviz get openai-community/gpt2\n"
        "  attnviz get bartowski/Llama-3.2-1B-Instruct-GGUF --variant Q4_K_M",
    )
    parser.add_argument("name", metavar="NAME", help="minilm, or a repository: owner/name or the address of its page")
    parser.add_argument(
        "--variant", metavar="V", help="which one of a repository's variants, such as Q4_K_M (default: a usual one)"
    )
    parser.set_defaults(run=_get)


def _add_models(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _new(
        verbs.add_parser,
        "models",
        help="list the models on this machine",
        description="List the models found on this machine: name, family, layers x heads, size, place and path. They are looked "
        "for in\nattnviz's data folder, the Hugging Face cache, LM Studio's and Ollama's folders, and among those opened lately.\n"
        "Any of the names can follow --model.",
    )
    parser.set_defaults(run=_models)


def _add_attend(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _new(
        verbs.add_parser,
        "attend",
        help="write a text's attention to a file",
        description="Run a model on a text and write tokens, attention and final vectors as numbers.",
        epilog="NPZ and JSON hold tokens, ids, layers, attention [layer, head, query, key], hidden [token, width] and\n"
        "provenance. CSV is long form, layer,head,query,key,query_token,key_token,weight, under lines of provenance\n"
        'that begin with "# "; read it with pandas.read_csv(file, comment="#").',
    )
    _add_what_to_run(parser)
    parser.add_argument("--layers", metavar="L", type=_numbers, help="layers to write, such as 0,3-5 (default: all)")
    parser.add_argument("--logits", action="store_true", help="also write the scores over the vocabulary (NPZ, JSON)")
    _add_output(parser, "x.npz, x.json or x.csv; the ending says the form")
    parser.set_defaults(run=_attend)


def _add_render(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _new(
        verbs.add_parser,
        "render",
        help="draw a text's attention as a figure",
        description="Run a model on a text and draw one layer's attention as a figure for a paper or a slide.",
        epilog="Widths that papers use: NeurIPS and ICLR 5.5in, ICML 3.25in or 6.75in, ACL 3.3in or 6.8in; a slide 13.33in.",
    )
    _add_what_to_run(parser)
    parser.add_argument("--layer", metavar="L", type=int, required=True, help="the layer to draw, from 0")
    parser.add_argument("--heads", metavar="H", type=_numbers, help="heads to draw, such as 1,4-6 (default: all)")
    parser.add_argument("--view", choices=["arcs"], default="arcs", help="how to draw it (default: arcs)")
    parser.add_argument("--focus", metavar="TOKEN", help="bring one token's arcs forward, by its text or its position")
    limit = parser.add_mutually_exclusive_group()
    limit.add_argument(
        "--strongest",
        metavar="PERCENT",
        type=float,
        default=70.0,
        help="draw each token's strongest keys up to this share of its attention (default: 70)",
    )
    limit.add_argument("--min-weight", metavar="W", type=float, help="draw all weights from W on instead")
    parser.add_argument("--specials", action="store_true", help="also draw special tokens such as [CLS] and [SEP]")
    parser.add_argument("--width", metavar="W", default="5.5in", help="such as 5.5in, 140mm or 1200px (default: 5.5in)")
    parser.add_argument("--dpi", type=int, default=300, help="resolution of a PNG (default: 300)")
    parser.add_argument("--theme", choices=["light", "dark"], default="light", help="colours (default: light)")
    parser.add_argument("--transparent", action="store_true", help="no background")
    _add_output(parser, "x.png, x.svg or x.pdf; the ending says the form")
    parser.set_defaults(run=_render)


def _add_what_to_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", metavar="M", default="minilm", help="a folder, a .gguf file or a name (default: minilm)")
    parser.add_argument("--text", metavar="T", required=True, help="the text to read")
    parser.add_argument(
        "--pair", metavar="T2", help="a second text, read together with the first; by the decoder where the model has two sides"
    )
    parser.add_argument(
        "--attention",
        choices=["encoder", "decoder", "cross"],
        help="which attention of an encoder-decoder to draw, or to write as CSV (default: encoder)",
    )
    parser.add_argument("--head-count", metavar="H", type=int, help="run with H heads: a what-if (default: as trained)")


def _add_output(parser: argparse.ArgumentParser, forms: str) -> None:
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, required=True, help=forms)


def _new(make: Callable[..., argparse.ArgumentParser], *names: str, **words: str) -> argparse.ArgumentParser:
    return make(*names, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **words)


def _numbers(text: str) -> list[int]:
    """ "0,3-5" -> [0, 3, 4, 5]."""
    numbers: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()) or len(part) > 15:
            raise argparse.ArgumentTypeError(f'"{text}" is not a list such as 0,3-5')
        stop = int(last or first)
        if stop < int(first):
            raise argparse.ArgumentTypeError(f'"{part}" runs backwards; write {stop}-{int(first)}')
        if stop - int(first) > 10_000:
            raise argparse.ArgumentTypeError(f'"{part}" is too long a range')
        numbers += range(int(first), stop + 1)
    return sorted(set(numbers))


def _window(options: argparse.Namespace) -> int:
    from attnviz.ui.app import run_window

    return run_window(options.model, options.text)


def _get(options: argparse.Namespace) -> int:
    from attnviz.library.get import get_minilm
    from attnviz.library.minilm import MINILM

    line = _ProgressLine()
    try:
        if options.name.casefold() != MINILM.name:
            path = _get_from_hub(options.name, options.variant, line)
        elif options.variant is not None:
            raise InputError(f"{MINILM.name} comes in one form; leave out --variant.")
        else:
            path = get_minilm(line.show)
    finally:
        line.end()
    print(path)
    return 0


def _get_from_hub(name: str, variant: str | None, line: _ProgressLine) -> Path:
    from attnviz.library.listing import offer_lines
    from attnviz.library.repository import fetch, look_up

    offer = look_up(name)
    for words in offer_lines(offer, offer.choice(variant)):
        print(words, file=sys.stderr)
    return fetch(offer, line.show, variant=variant)


def _models(options: argparse.Namespace) -> int:
    from attnviz.library.closed import CLOSED_MODELS
    from attnviz.library.discovery import find_models
    from attnviz.library.listing import model_lines
    from attnviz.session.settings import load_settings

    del options
    models = find_models(load_settings().recent)
    for line in model_lines(models, in_colour=sys.stdout.isatty() and not os.environ.get("NO_COLOR")):
        print(line)
    if not models:
        print("No models on this machine yet; get the default one with: attnviz get minilm")
    print(CLOSED_MODELS)
    return 0


def _attend(options: argparse.Namespace) -> int:
    from attnviz.export.numbers import save_numbers

    _check_output(options.output)
    run = _run(options)
    save_numbers(run, options.output, options.layers, options.logits, _kind(options, run))
    _say_what_if(run)
    return 0


def _render(options: argparse.Namespace) -> int:
    from attnviz.session.lengths import inches
    from attnviz.session.view import HeadChoice, Sinks, View

    _check_output(options.output)
    if not 1 <= options.dpi <= 4_800:
        raise InputError(f"{options.dpi} dpi cannot be drawn; choose from 1 to 4800.")
    threshold = _threshold(options)
    width = inches(options.width)
    run = _run(options)
    kind = _kind(options, run)
    n_head = run.trace.head_count_of(kind)
    view = View(
        layer=_in_range(options.layer, run.trace.n_layer_of(kind), "Layer", run),
        kind=kind,
        heads=None
        if options.heads is None
        else HeadChoice(frozenset(_in_range(head, n_head, "Head", run) for head in options.heads), n_head),
        focus=None if options.focus is None else _token(options.focus, run, kind),
        threshold=threshold,
        sinks=Sinks(treatment="show" if options.specials else "hide"),
    )

    from attnviz.paint.headless import start_painting

    start_painting()
    from attnviz.export.figure import Paper, save_figure

    background = "transparent" if options.transparent else "white" if options.theme == "light" else "theme"
    save_figure(run, view, options.output, Paper(width, options.dpi, options.theme, background))
    _say_what_if(run)
    return 0


def _run(options: argparse.Namespace) -> Run:
    from attnviz.library.discovery import resolve_model
    from attnviz.session.request import Request
    from attnviz.session.run import Runner
    from attnviz.session.settings import load_settings

    path = resolve_model(options.model, load_settings().recent)
    run = Runner().run(Request(path, options.text, options.pair, options.head_count))
    from attnviz.scene.words import beyond_trained_line, left_out_line

    for line in (left_out_line(run), beyond_trained_line(run)):
        if line is not None:
            print(f"attnviz: {line}", file=sys.stderr)
    return run


def _kind(options: argparse.Namespace, run: Run) -> Kind | None:
    if options.attention is not None and options.attention not in run.trace.kinds:
        raise InputError(f"{run.model.name} has no {options.attention} attention; it has {', '.join(run.trace.kinds)}.")
    return options.attention


def _say_what_if(run: Run) -> None:
    if run.trace.is_what_if:
        from attnviz.scene.words import what_if_line

        print(f"attnviz: {what_if_line(run)}", file=sys.stderr)


def _check_output(path: Path) -> None:
    """Refuse before the work what would fail after it."""
    if not path.parent.is_dir():
        raise InputError(f"{path.parent}: there is no such folder; make it or choose another.")


def _threshold(options: argparse.Namespace) -> Threshold:
    from attnviz.analysis.edges import Threshold

    if options.min_weight is not None:
        if not 0.0 <= options.min_weight <= 1.0:
            raise InputError(f"--min-weight {options.min_weight:g}: weights lie between 0 and 1.")
        return Threshold("weight", options.min_weight)
    if not 0.0 < options.strongest <= 100.0:
        raise InputError(f"--strongest {options.strongest:g}: choose a share above 0 and up to 100 percent.")
    return Threshold("mass", options.strongest / 100)


def _in_range(number: int, n: int, what: str, run: Run) -> int:
    if not 0 <= number < n:
        kind = f"{what.lower()}s 0 to {n - 1}" if n > 1 else f"just {what.lower()} 0"
        raise InputError(f"{what} {number} does not exist; {run.model.name} has {kind} in this run.")
    return number


def _token(wanted: str, run: Run, kind: Kind | None) -> int:
    """The position in the picture of a token given by its text, as shown or as spelled, or by its number."""
    from attnviz.session.sight import tokens_of
    from attnviz.session.view import View

    pieces = tokens_of(run.trace, View(kind=kind))
    for index, piece in enumerate(pieces):
        if wanted in (piece.shown, piece.text):
            return index
    if wanted.isdecimal() and int(wanted) < len(pieces):
        return int(wanted)
    raise InputError(f'There is no token "{wanted}"; the tokens are: {" ".join(piece.text for piece in pieces[:40])}')


class _ProgressLine:
    """One line on stderr that is written over as bytes arrive; one line per step where stderr is no terminal."""

    def __init__(self) -> None:
        self._last = ""

    def end(self) -> None:
        """Leave the line."""
        if self._last and sys.stderr.isatty():
            print(file=sys.stderr)

    def show(self, progress: Progress) -> None:
        from attnviz.library.sizes import file_size

        amount = ""
        if progress.done and sys.stderr.isatty():
            total = f" of {file_size(progress.total)}" if progress.total else ""
            amount = f": {file_size(progress.done)}{total}"
        line = progress.what + amount
        if line != self._last:
            self._last = line
            start, end = ("\r\x1b[K", "") if sys.stderr.isatty() else ("", "\n")
            print(start + line, end=end, file=sys.stderr, flush=True)
