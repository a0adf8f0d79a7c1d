"""What several verbs take: a model and its texts, a way to show what comes of it, a file to write."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PICTURES = ("arcs", "grid", "matrix", "steps")
SINKS = ("special", "first", "punctuation")


def add_what_to_run(parser: argparse.ArgumentParser) -> None:
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
    what_if = parser.add_argument_group("to change the heads and see what follows")
    what_if.add_argument("--mute", metavar="L3.H1", action="append", help="mute heads, several with commas between them")
    what_if.add_argument(
        "--muting",
        choices=["zero", "uniform", "frozen"],
        default="zero",
        help="what that means: the output is zero; the attention is alike for all tokens; the output is zero and all heads keep "
        "their attention (default: zero)",
    )
    what_if.add_argument("--strength", metavar="L3.H1=0.5", action="append", help="multiply a head's output by 0 to 2")
    what_if.add_argument(
        "--weight",
        metavar="L3.H1:it>animal=0.1",
        action="append",
        help="set one attention weight, from a query to a key (#10>#2 by position); the rest of its row is scaled",
    )
    writing = parser.add_argument_group("to have a model go on with the text, where it can")
    writing.add_argument("--write", metavar="N", type=count, default=0, help="have it write N tokens first")
    writing.add_argument("--temperature", metavar="T", type=float, default=0.0, help="0 takes the likeliest tokens (default: 0)")
    writing.add_argument("--seed", metavar="S", type=count, default=0, help="which draw, at temperatures above 0 (default: 0)")
    writing.add_argument("--written", metavar="IDS", help="put tokens behind the text by their numbers, such as 464,3797")


def add_view(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--heads", metavar="H", type=numbers, help="heads to show, such as 1,4-6 (default: all)")
    parser.add_argument(
        "--focus", metavar="TOKEN", help="the token in focus, by its text or its position (#3 for the position alone)"
    )
    parser.add_argument("--quantity", choices=["attention", "norms", "rollout"], help="what the weights are (default: attention)")
    parser.add_argument("--mean", action="store_true", help="the mean of the heads as one map")
    parser.add_argument("--words", action="store_true", help="merge the pieces of each word")
    parser.add_argument(
        "--sinks", metavar="KINDS", type=_sinks, help=f"which tokens are sinks: {','.join(SINKS)} (default: special)"
    )
    treatment = parser.add_mutually_exclusive_group()
    treatment.add_argument(
        "--treat",
        choices=["show", "dim", "hide", "renormalise"],
        help="what is done with sinks; renormalise hides them and scales the rest of each row to its whole (default: hide)",
    )
    treatment.add_argument(
        "--specials", action="store_true", help="show special tokens such as [CLS] and [SEP]; the same as --treat show"
    )
    parser.add_argument(
        "--texts",
        choices=["all", "within", "across", "first_to_second", "second_to_first"],
        help="which pairs of tokens of two texts (default: all)",
    )
    parser.add_argument(
        "--log",
        action=argparse.BooleanOptionalAction,
        help="colours of a matrix by the logarithm (default: of 64 tokens and more)",
    )


def add_grid(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--summary", choices=["entropy", "distance", "sink_share"], help="the number on each head of a grid")
    parser.add_argument("--sort", action="store_true", help="order the heads of each layer of a grid by it")
    parser.add_argument("--least", metavar="X", type=float, help="fade heads of a grid below it")
    parser.add_argument("--most", metavar="X", type=float, help="fade heads of a grid above it")
    parser.add_argument("--roles", action="store_true", help="mark the heads of a grid that have a role, as last measured")


def add_figure(parser: argparse.ArgumentParser) -> None:
    """How a figure of weights is drawn: which of them, and on what."""
    limit = parser.add_mutually_exclusive_group()
    limit.add_argument(
        "--strongest",
        metavar="PERCENT",
        type=float,
        default=70.0,
        help="draw each token's strongest keys up to this share of its attention (default: 70)",
    )
    limit.add_argument("--min-weight", metavar="W", type=float, help="draw all weights from W on instead")
    add_paper(parser)


def add_paper(parser: argparse.ArgumentParser) -> None:
    """What a figure is drawn on."""
    parser.add_argument("--width", metavar="W", default="5.5in", help="such as 5.5in, 140mm or 1200px (default: 5.5in)")
    parser.add_argument("--dpi", type=int, default=300, help="resolution of a PNG (default: 300)")
    parser.add_argument("--theme", choices=["light", "dark"], default="light", help="colours (default: light)")
    ground = parser.add_mutually_exclusive_group()
    ground.add_argument("--transparent", action="store_true", help="no background")
    ground.add_argument("--background", choices=["white", "theme", "transparent"], help="(default: white, in the dark the theme's)")


def count(text: str) -> int:
    """A whole number from 0 on."""
    if not text.isdecimal() or len(text) > 6:
        raise argparse.ArgumentTypeError(f'"{text}" is not a whole number from 0 on')
    return int(text)


def _sinks(text: str) -> frozenset[str]:
    kinds = frozenset(part.strip() for part in text.split(",") if part.strip())
    if not kinds <= set(SINKS):
        raise argparse.ArgumentTypeError(f'"{text}" is not a list of {", ".join(SINKS)}')
    return kinds


def add_output(parser: argparse.ArgumentParser, forms: str) -> None:
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, required=True, help=forms)


def new(make: Callable[..., argparse.ArgumentParser], *names: str, **words: str) -> argparse.ArgumentParser:
    return make(*names, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **words)


def numbers(text: str) -> list[int]:
    """ "0,3-5" -> [0, 3, 4, 5]."""
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()) or len(part) > 15:
            raise argparse.ArgumentTypeError(f'"{text}" is not a list such as 0,3-5')
        stop = int(last or first)
        if stop < int(first):
            raise argparse.ArgumentTypeError(f'"{part}" runs backwards; write {stop}-{int(first)}')
        if stop - int(first) > 10_000:
            raise argparse.ArgumentTypeError(f'"{part}" is too long a range')
        found += range(int(first), stop + 1)
    return sorted(set(found))
