"""Texts and models that leave little to show: each picture stands, or says in one sentence why there is nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from attnviz.session.view import PICTURE_NAMES, QUANTITY_NAMES, HeadChoice, Sinks
from tests.golden.families_reader import write_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.ui.hands import Hands

LONG: Final = "the cat sat on the mat and " * 90  # 540 words: more than the model reads
ALL_SINKS: Final = frozenset({"special", "first", "punctuation"})
each_picture: Final = pytest.mark.parametrize("picture", list(PICTURE_NAMES))


def walk_through(hands: Hands, picture: str) -> None:
    """Show a picture in every way that the view offers."""
    session = hands.window.session
    session.show(picture=picture)
    hands.settle()
    for changes in (
        {"words": True},
        {"is_mean": True},
        {"is_mean": False, "words": False},
        *({"quantity": quantity} for quantity in QUANTITY_NAMES),
        {"quantity": "attention"},
        *({"sinks": Sinks(ALL_SINKS, treatment)} for treatment in ("dim", "hide", "renormalise", "show")),
        {"heads": HeadChoice(frozenset(), hands.run.trace.head_count)},
        {"heads": HeadChoice(frozenset({0}), hands.run.trace.head_count)},
        {"focus": 0},
        {"focus": None, "heads": None, "sinks": Sinks()},
    ):
        session.show(**changes)
        hands.settle()
        hands.reader.pictures.currentWidget().repaint()
    assert not hands.reader.notice.isVisible()


@each_picture
@pytest.mark.parametrize(
    "text", ["A", ".", "[CLS] [SEP]", "🙂", "didn't"], ids=["one token", "a stop", "specials", "emoji", "pieces"]
)
def test_a_text_of_next_to_nothing_has_a_picture(open_reader: Callable[..., Hands], picture: str, text: str) -> None:
    walk_through(open_reader(text), picture)


@each_picture
def test_a_text_of_512_tokens_has_a_picture_and_says_what_is_left_out(open_reader: Callable[..., Hands], picture: str) -> None:
    hands = open_reader(LONG)
    assert len(hands.run.trace.tokens) == 512
    hands.window.session.show(picture=picture)
    hands.settle()
    widget = hands.reader.pictures.currentWidget()
    widget.repaint()
    assert any("are left out" in label.text for label in widget.scene.labels)


@each_picture
@pytest.mark.parametrize("case", ["gpt2-lm", "llama-gqa", "gpt-oss-windows-yarn", "bloom-lm", "t5-tied"])
def test_models_without_separators_causal_or_of_two_sides_have_each_picture(
    open_reader: Callable[..., Hands], tmp_path: Path, picture: str, case: str
) -> None:
    (tmp_path / "model").mkdir()
    write_model(case, tmp_path / "model")
    hands = open_reader("the cat sat")
    hands.window.open_model(tmp_path / "model")
    hands.until(lambda: hands.run.request.model == tmp_path / "model")
    hands.settle()
    for kind in hands.run.trace.kinds:
        hands.window.session.show(kind=kind)
        walk_through(hands, picture)
