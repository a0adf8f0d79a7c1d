"""The verbs of the command line and what each takes. Qt is imported only by what paints."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from attnviz import __version__
from attnviz.cli.compare import add_compare
from attnviz.cli.corpus import add_corpus
from attnviz.cli.fetch import get, models
from attnviz.cli.options import PICTURES, add_figure, add_grid, add_output, add_view, add_what_to_run, new, numbers
from attnviz.cli.read import attend, render
from attnviz.cli.report import add_report
from attnviz.cli.roles import add_roles

if TYPE_CHECKING:
    from collections.abc import Sequence

ABOUT = """\
See which token of a sentence looks at which, head by head, in a real transformer that runs on this machine.

Without a verb the window opens, with SESSION.attnviz on a session that was saved in it; --model and --text replace the
session's own. Layers and heads are numbered from 0."""
USAGE = "attnviz [--model M] [--text T] [SESSION.attnviz]\n       attnviz VERB ..."

EXAMPLES = """\
examples:
  attnviz get minilm
  attnviz get openai-community/gpt2
  attnviz --text "The animal didn't cross the street because it was tired."
  attnviz lesson.attnviz
  attnviz render --model minilm --text "It was tired." --layer 3 --heads 1,4 -o figure.pdf
  attnviz render --model minilm --text "It was tired." --layer 3 --head-count 4 --width 140mm -o figure.svg
  attnviz attend --model minilm --text "It was tired." --layers 0,3-5 -o attention.npz"""


def make_parser() -> argparse.ArgumentParser:
    parser = new(_MainParser, prog="attnviz", usage=USAGE, description=ABOUT, epilog=EXAMPLES)
    parser.add_argument("--version", action="version", version=f"attnviz {__version__}")
    parser.add_argument("--model", metavar="M", help="the model to open: a folder, a .gguf file, or a name from `attnviz models`")
    parser.add_argument("--text", metavar="T", help="the sentence to start with")
    parser.set_defaults(run=_window, session=None)
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", prog="attnviz", parser_class=_Parser)
    _add_get(verbs)
    _add_models(verbs)
    _add_attend(verbs)
    _add_render(verbs)
    _add_compare(verbs)
    _add_roles(verbs)
    _add_report(verbs)
    _add_corpus(verbs)
    return parser


class _Parser(argparse.ArgumentParser):
    """Says wrong usage in one line, without the usage text above it."""

    def error(self, message: str) -> NoReturn:
        is_no_verb = message.startswith("argument VERB: invalid choice")
        hint = f"; to open a model give --model before it; a session's name ends in {_SESSION}" if is_no_verb else ""
        self.exit(2, f"{self.prog}: {' '.join(message.split())}{hint}; see {self.prog} --help\n")


class _MainParser(_Parser):
    """Takes a session file where a verb may stand, which argparse cannot."""

    def parse_args(self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None) -> argparse.Namespace:
        rest, sessions = _without_sessions(sys.argv[1:] if args is None else args)
        options = super().parse_args(rest, namespace)
        if len(sessions) > 1:
            self.error(f"one session at a time, not {len(sessions)}: {', '.join(sessions)}")
        if sessions and options.run is not _window:
            self.error(f"{sessions[0]} opens in the window; leave out the verb")
        if sessions:
            options.session = Path(sessions[0])
        return options


_SESSION: Final = ".attnviz"
_WITH_VALUE: Final = ("--model", "--text")


def _without_sessions(args: Sequence[str]) -> tuple[list[str], list[str]]:
    """The arguments without session files that stand where a verb may stand, and these. What follows a verb is the verb's."""
    rest, sessions = [], []
    for place, arg in enumerate(args):
        is_value = place > 0 and args[place - 1] in _WITH_VALUE
        if arg.startswith("-") or is_value:
            rest.append(arg)
        elif arg.lower().endswith(_SESSION):
            sessions.append(arg)
        else:
            return [*rest, *args[place:]], sessions
    return rest, sessions


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
    add_figure(parser)
    add_output(parser, "x.png, x.svg or x.pdf; the ending says the form")
    parser.set_defaults(run=render)


def _add_compare(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = new(
        verbs.add_parser,
        "compare",
        help="set two runs against each other",
        description="Run a model twice, A and B: with and without a change of its heads, on two texts, or two models on one text.\n"
        "Draw both beside each other or A less B, write their numbers, or print their measures.",
        epilog="Measures are means over the shown heads and the visible tokens that look. Entropy and distance are of the shown\n"
        "weights of a row, each by its share (Vig & Belinkov 2019); the largest weight of a row is a head's confidence (Voita et\n"
        "al. 2019); distinct targets: to how many different tokens the heads' largest weights go.\n\n"
        "examples:\n"
        '  attnviz compare --text "The boy who studied hard passed the exam." --head-count 1 --with-trained\n'
        '  attnviz compare --text "It was tired." --with-text "It was wide." --layer 3 --setting difference -o d.pdf\n'
        '  attnviz compare --text "A bank lends money." --with-text "We sat on the river bank." --cosines bank',
    )
    add_compare(parser)


def _add_roles(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = new(
        verbs.add_parser,
        "roles",
        help="measure what each head of a model does over a corpus",
        description="Measure what each head of a model, as it was trained, does over sentences with gold relations between words.\n"
        "A role is named only where the score reaches the published threshold, where there is one, and the lower end of its\n"
        "95 % interval is 10 points above the best baseline. Most heads of most models have none.",
        epilog="Measured: positions (previous token, next token, fixed offsets), relations of grammar and meaning both ways,\n"
        "antecedents of pronouns, earlier mentions, copies, induction, retrieval, rare tokens, resting places. A score is a\n"
        "share of attention, or how often the largest weight is right; the JSON file names the source of each.\n"
        "Numbers are kept: what was interrupted goes on, and what was measured before is there at once.\n\n"
        "examples:\n"
        "  attnviz roles\n"
        "  attnviz roles --model openai-community/gpt2 -o roles.csv\n"
        "  attnviz roles --corpus treebank.conllu --muted 0 -o roles.json\n"
        '  attnviz roles --colour "obj>" --width 6.75in -o objects.pdf',
    )
    add_roles(parser)


def _add_report(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = new(
        verbs.add_parser,
        "report",
        help="write a report of what each head of a model does",
        description="Measure what each head of a model does, as `attnviz roles` does, and write it down in one file to be read,\n"
        "printed, handed in or cited: the atlas of heads, how it was measured and what cannot be concluded, all roles with their\n"
        "intervals and baselines, the sentences in which the clearest heads do their jobs best and worst, what was not found.",
        epilog="A report is one HTML file that needs no network, or a PDF of A4 pages. It has no date but the one that is given,\n"
        "so the same command gives the same file.\n\n"
        "examples:\n"
        "  attnviz report -o heads.html\n"
        '  attnviz report --author "Ada Lovelace" --date 2026-05-01 -o heads.pdf\n'
        '  attnviz report --model openai-community/gpt2 --text "When Mary met John, she smiled." -o gpt2.pdf',
    )
    add_report(parser)


def _add_corpus(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = new(
        verbs.add_parser,
        "corpus",
        help="check a corpus and say what is in it",
        description="Read a corpus for `attnviz roles`, say where it is wrong, and print what it holds, and what of it could be\n"
        "guessed without a model: by the order of the words, a fixed offset, or the nearest candidate.",
        epilog="A corpus is a treebank in CoNLL-U form, or in the program's own: JSON Lines, with mentions and antecedents too.\n\n"
        "examples:\n"
        "  attnviz corpus\n"
        "  attnviz corpus treebank.conllu",
    )
    add_corpus(parser)


def _window(options: argparse.Namespace) -> int:
    from attnviz.ui.app import run_window

    return run_window(options.model, options.text, options.session)
