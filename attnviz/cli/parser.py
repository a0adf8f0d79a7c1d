"""The verbs of the command line and what each takes. Qt is imported only by what paints."""

from __future__ import annotations

import argparse
from typing import NoReturn

from attnviz import __version__
from attnviz.cli.fetch import get, models
from attnviz.cli.options import PICTURES, add_grid, add_output, add_view, add_what_to_run, new, numbers
from attnviz.cli.read import attend, render

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


def make_parser() -> argparse.ArgumentParser:
    parser = new(_Parser, prog="attnviz", description=ABOUT, epilog=EXAMPLES)
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


class _Parser(argparse.ArgumentParser):
    """Says wrong usage in one line, without the usage text above it."""

    def error(self, message: str) -> NoReturn:
        hint = "; to open a model give --model before it" if message.startswith("argument VERB: invalid choice") else ""
        self.exit(2, f"{self.prog}: {' '.join(message.split())}{hint}; see {self.prog} --help\n")


def _add_get(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = new(
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
    parser.set_defaults(run=get)


def _add_models(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = new(
        verbs.add_parser,
        "models",
        help="list the models on this machine",
        description="List the models found on this machine: name, family, layers x heads, size, place and path. They are looked "
        "for in\nattnviz's data folder, the Hugging Face cache, LM Studio's and Ollama's folders, and among those opened lately.\n"
        "Any of the names can follow --model.",
    )
    parser.set_defaults(run=models)


def _add_attend(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = new(
        verbs.add_parser,
        "attend",
        help="write a text's attention to a file",
        description="Run a model on a text and write tokens, attention and final vectors as numbers.",
        epilog="NPZ and JSON hold tokens, ids, layers, attention [layer, head, query, key], hidden [token, width] and\n"
        "provenance. CSV is long form, layer,head,query,key,query_token,key_token,weight, under lines of provenance\n"
        'that begin with "# "; read it with pandas.read_csv(file, comment="#").\n'
        "With --view or another option of a picture, the file holds what it shows. Arcs and matrix: weights [layer, map, query,\n"
        "key], heads (-1: several as one), tokens and positions of rows and columns, and what of each row is not there:\n"
        "taken_out, other_texts, own_sink [layer, map, query]. Grid: entropy, distance, sink_share [layer, head] of all heads.\n"
        "Steps (of one layer): every array of them.",
    )
    add_what_to_run(parser)
    parser.add_argument("--layers", metavar="L", type=numbers, help="layers to write, such as 0,3-5 (default: all)")
    parser.add_argument("--logits", action="store_true", help="also write the scores over the vocabulary (NPZ, JSON)")
    pictures = parser.add_argument_group("to write what a picture shows instead of all that the run left")
    pictures.add_argument("--view", choices=PICTURES, help="which picture (default: matrix, if one of the next options is given)")
    add_view(pictures)
    add_output(parser, "x.npz, x.json or x.csv; the ending says the form")
    parser.set_defaults(run=attend)


def _add_render(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = new(
        verbs.add_parser,
        "render",
        help="draw a text's attention as a figure",
        description="Run a model on a text and draw its attention as a figure for a paper or a slide.",
        epilog="Widths that papers use: NeurIPS and ICLR 5.5in, ICML 3.25in or 6.75in, ACL 3.3in or 6.8in; a slide 13.33in.",
    )
    add_what_to_run(parser)
    parser.add_argument("--layer", metavar="L", type=int, help="the layer to draw, from 0; the grid draws all of them")
    parser.add_argument("--view", choices=PICTURES, default="arcs", help="how to draw it (default: arcs)")
    add_view(parser)
    add_grid(parser)
    limit = parser.add_mutually_exclusive_group()
    limit.add_argument(
        "--strongest",
        metavar="PERCENT",
        type=float,
        default=70.0,
        help="draw each token's strongest keys up to this share of its attention (default: 70)",
    )
    limit.add_argument("--min-weight", metavar="W", type=float, help="draw all weights from W on instead")
    parser.add_argument("--width", metavar="W", default="5.5in", help="such as 5.5in, 140mm or 1200px (default: 5.5in)")
    parser.add_argument("--dpi", type=int, default=300, help="resolution of a PNG (default: 300)")
    parser.add_argument("--theme", choices=["light", "dark"], default="light", help="colours (default: light)")
    ground = parser.add_mutually_exclusive_group()
    ground.add_argument("--transparent", action="store_true", help="no background")
    ground.add_argument("--background", choices=["white", "theme", "transparent"], help="(default: white, in the dark the theme's)")
    add_output(parser, "x.png, x.svg or x.pdf; the ending says the form")
    parser.set_defaults(run=render)


def _window(options: argparse.Namespace) -> int:
    from attnviz.ui.app import run_window

    return run_window(options.model, options.text)
