"""What heads do, on chips, in panels and where the pointer names them; and how a window comes to know it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from PySide6.QtCore import QObject
from PySide6.QtGui import QColor

from attnviz.engine.changes import NOTHING, HeadAt
from attnviz.engine.model import Model, load_model
from attnviz.errors import ModelError
from attnviz.probing.summary import keep_summary
from attnviz.scene.atlas.colours import group_colour
from attnviz.session.head_roles import ShownRoles
from attnviz.session.request import Request
from attnviz.session.run import Run, Runner
from attnviz.session.session import Session
from attnviz.session.view import HeadChoice, View
from attnviz.session.weights import MEAN
from attnviz.ui import kept_roles
from attnviz.ui.appearance import Appearance
from attnviz.ui.chips import Chip, HeadChips
from attnviz.ui.kept_roles import KeptRoles
from attnviz.ui.panels.head_panel import HeadPanel
from attnviz.ui.pictures import canvas as canvas_module
from tests.engine.tiny_bert import write_bert
from tests.probing.summaries import summary_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot

    from attnviz.probing.summary import RoleSummary
    from tests.ui.hands import Hands

CAT = "the cat sings"
HEADS = {(0, 1): ("obj>", "pronoun", "first"), (0, 2): ("first",), (1, 3): ("previous",)}
ARROW = "\N{RIGHTWARDS ARROW}"
SURE = "95 % interval 75\N{EN DASH}81 %, 654 cases"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two models that differ in their weights alone."""
    base = tmp_path_factory.mktemp("models")
    return write_bert(base / "one"), write_bert(base / "other", seed=1)


@pytest.fixture(scope="module")
def run(folders: tuple[Path, Path]) -> Run:
    return Runner().run(Request(folders[0], CAT))


@pytest.fixture(scope="module")
def summary(run: Run) -> RoleSummary:
    return summary_for(run, HEADS)


@pytest.fixture(params=["light", "dark"])
def appearance(fusion: QApplication, request: pytest.FixtureRequest) -> Appearance:
    appearance = Appearance(fusion)
    appearance.choose(request.param)
    return appearance


# --- the chips --------------------------------------------------------------------------------------------------------


@pytest.fixture
def chips(qtbot: QtBot, appearance: Appearance) -> HeadChips:
    chips = HeadChips(appearance)
    qtbot.addWidget(chips)
    chips.resize(900, 60)
    chips.show()
    return chips


def show(chips: HeadChips, summary: RoleSummary | None, layer: int = 0) -> list[Chip]:
    chips.set_heads(4, frozenset(range(4)), 4, layer=layer, roles=None if summary is None else ShownRoles(summary))
    return [chips.chip(head) for head in range(4)]


def colours_below(chip: Chip) -> set[str]:
    """The colours of the line below a chip's name."""
    image = chip.grab().toImage()
    return {image.pixelColor(x, 21).name() for x in range(23, image.width() - 8)}


def test_a_chip_tells_all_that_its_head_does(chips: HeadChips, summary: RoleSummary) -> None:
    first, second, third, _ = show(chips, summary)
    assert second.toolTip().split("\n") == [
        "Head 1: click shows or hides it, double-click shows it alone",
        f"object {ARROW} verb: 78 %, baseline 48 % (fixed offset \N{MINUS SIGN}2), {SURE}",
        f"pronoun {ARROW} antecedent: 78 %, baseline 48 % (fixed offset \N{MINUS SIGN}2), {SURE}",
        f"rests on first token: 78 %, baseline 6 % (even attention), {SURE}",
    ]
    assert third.toolTip().endswith(f"rests on first token: 78 %, baseline 6 % (even attention), {SURE}")
    assert first.toolTip().endswith("\nno role found over 600 sentences")
    assert first.accessibleDescription() == "no role found over 600 sentences"


def test_a_chip_of_a_model_that_was_not_measured_says_nothing_of_roles(chips: HeadChips, summary: RoleSummary) -> None:
    show(chips, summary)
    for chip in show(chips, None):
        assert chip.toolTip() == f"Head {chip.head}: click shows or hides it, double-click shows it alone"
        assert chip.accessibleDescription() == ""
        assert not chip.is_named


def test_chips_follow_the_layer(chips: HeadChips, summary: RoleSummary) -> None:
    assert [chip.role_name for chip in show(chips, summary)] == ["", f"obj{ARROW}verb", "", ""]
    assert [chip.role_name for chip in show(chips, summary, layer=1)] == ["", "", "", "previous token"]


def test_names_stand_on_chips_where_all_then_fit_on_one_line(chips: HeadChips, summary: RoleSummary) -> None:
    plain = [chip.width() for chip in show(chips, None)]
    named = show(chips, summary)
    assert [chip.is_named for chip in named] == [False, True, False, False]
    assert len({chip.y() for chip in named}) == 1
    width = named[-1].geometry().right() + 1
    assert width - chips.line_width(4) > 40
    chips.resize(width, 60)
    assert named[1].is_named
    chips.resize(width - 1, 60)
    assert not named[1].is_named
    assert [chip.width() for chip in named] == plain
    assert len({chip.y() for chip in named}) == 1


def test_no_name_of_a_role_makes_another_line_of_chips(chips: HeadChips, summary: RoleSummary) -> None:
    for width in range(120, 700, 40):
        chips.resize(width, 60)
        lines = [len({chip.y() for chip in show(chips, roles)}) for roles in (None, summary)]
        assert lines[0] == lines[1]


def test_the_line_below_a_head_has_its_jobs_colours_and_is_grey_where_it_rests(
    chips: HeadChips, summary: RoleSummary, appearance: Appearance
) -> None:
    first, second, third, _ = show(chips, summary)
    theme = appearance.theme
    jobs = {group_colour("grammar", theme), group_colour("reference", theme)}
    assert jobs <= colours_below(second)
    assert theme.faint in colours_below(third)
    assert not (jobs | {theme.faint}) & colours_below(first)
    show(chips, None)
    assert not (jobs | {theme.faint}) & colours_below(second)


# --- the panel of a head ----------------------------------------------------------------------------------------------


@pytest.fixture
def panel(qtbot: QtBot, appearance: Appearance) -> HeadPanel:
    panel = HeadPanel(appearance)
    qtbot.addWidget(panel)
    panel.resize(panel.width(), 700)
    panel.show()
    return panel


def test_the_panel_names_each_role_of_its_head_with_score_and_baseline(panel: HeadPanel, run: Run, summary: RoleSummary) -> None:
    panel.show_head(run, View(), (0, 1), summary)
    assert panel.role_names() == f"obj{ARROW}verb, pronoun"
    lines = [row.line for row in panel.roles.rows()]
    assert [(line.title, line.number) for line in lines] == [
        (f"object {ARROW} verb", "78 %"),
        (f"pronoun {ARROW} antecedent", "78 %"),
        ("rests on first token", "78 %"),
    ]
    figures = "75\N{EN DASH}81 %, baseline 48 %"
    assert lines[0].notes == (f"{figures}, 654 cases", f"{figures}, 654", figures, "baseline 48 %")
    assert (lines[0].score, lines[0].baseline) == (0.78, 0.48)
    assert panel.roles.rows()[0].toolTip() == f"object {ARROW} verb: 78 %, baseline 48 % (fixed offset \N{MINUS SIGN}2), {SURE}"
    assert panel.roles.said() == ""


def test_the_panel_says_that_a_head_has_no_role(panel: HeadPanel, run: Run, summary: RoleSummary) -> None:
    panel.show_head(run, View(), (0, 1), summary)
    panel.show_head(run, View(), (0, 0), summary)
    assert panel.role_names() == "no role found"
    assert panel.roles.rows() == []
    assert panel.roles.said() == "no role found over 600 sentences"
    assert panel.roles.button.text().startswith("Evidence")


def test_the_panel_offers_to_measure_what_was_not_measured(panel: HeadPanel, run: Run) -> None:
    panel.show_head(run, View(), (0, 1))
    assert panel.role_names() == ""
    assert panel.roles.said() == "not measured yet"
    assert panel.roles.button.text().startswith("Measure")
    assert panel.roles.button.isVisible()


def test_a_changed_head_has_no_roles_and_no_way_to_their_evidence(panel: HeadPanel, run: Run, summary: RoleSummary) -> None:
    muted = Request(run.model.path, CAT, changes=NOTHING.with_muted(HeadAt("encoder", 0, 1), True))
    panel.show_head(Runner().run(muted), View(), (0, 1), summary)
    assert panel.roles.rows() == []
    assert panel.roles.said() == "known of the heads as trained, not of these"
    assert not panel.roles.button.isVisible()


def test_a_map_of_several_heads_has_no_part_for_roles(panel: HeadPanel, run: Run, summary: RoleSummary) -> None:
    panel.show_head(run, View(is_mean=True, heads=HeadChoice(frozenset({0, 1}), 4)), (0, MEAN), summary)
    assert panel.title() == "L0"
    assert not panel.roles.isVisible()
    assert panel.role_names() == ""


def test_evidence_is_asked_for_by_button_and_by_row(panel: HeadPanel, run: Run, summary: RoleSummary, qtbot: QtBot) -> None:
    asked: list[tuple[int, int]] = []
    panel.rolesWanted.connect(lambda layer, head: asked.append((layer, head)))
    panel.show_head(run, View(), (1, 3), summary)
    panel.roles.button.click()
    panel.roles.rows()[0].click()
    panel.show_head(run, View(), (0, 0))
    panel.roles.button.click()
    assert asked == [(1, 3), (1, 3), (0, 0)]


def test_the_bars_follow_light_and_dark(panel: HeadPanel, run: Run, summary: RoleSummary, appearance: Appearance) -> None:
    panel.show_head(run, View(), (0, 1), summary)
    appearance.choose("dark" if appearance.theme.name == "light" else "light")
    assert panel.roles.rows()[0].line.colour == group_colour("grammar", appearance.theme)
    assert QColor(panel.roles.rows()[0].line.colour).isValid()


# --- how the window comes to know ---------------------------------------------------------------------------------------


class Opened:
    """A session with what looks for its model's roles."""

    def __init__(self) -> None:
        self.parent = QObject()
        self.requests: list[Request] = []
        self.session = Session(self.requests.append)
        self.kept = KeptRoles(self.session, self.parent)
        self.runner = Runner()

    def open(self, model: Path) -> None:
        self.session.ask(model=model, text=CAT)
        self.session.accept(self.runner.run(self.requests[-1]))

    @property
    def roles(self) -> RoleSummary | None:
        return self.session.state.roles

    def is_at_rest(self) -> bool:
        return not (self.kept._pause.isActive() or self.kept._found.is_making)


@pytest.fixture
def opened(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    monkeypatch.setattr(kept_roles, "_AFTER_MS", 1)
    opened = Opened()
    yield opened
    opened.kept.stop()
    opened.parent.deleteLater()


def test_a_model_that_was_measured_before_has_its_roles_soon(
    opened: Opened, qtbot: QtBot, folders: tuple[Path, Path], run: Run, summary: RoleSummary
) -> None:
    keep_summary(summary)
    opened.open(folders[0])
    assert opened.roles is None  # not with the picture, but after it
    qtbot.waitUntil(lambda: opened.roles is not None)
    assert opened.roles == summary


def test_each_model_has_its_own(opened: Opened, qtbot: QtBot, folders: tuple[Path, Path], summary: RoleSummary) -> None:
    keep_summary(summary)
    opened.open(folders[1])
    qtbot.waitUntil(opened.is_at_rest)
    assert opened.roles is None
    opened.open(folders[0])
    qtbot.waitUntil(lambda: opened.roles == summary)
    opened.open(folders[1])
    assert opened.roles is None
    qtbot.waitUntil(opened.is_at_rest)
    assert opened.roles is None


@pytest.mark.parametrize("measured", [{}, {"n_layer": 6}, {"n_head": 12}])
def test_where_no_model_of_its_shape_was_measured_no_weights_are_read(
    opened: Opened,
    qtbot: QtBot,
    folders: tuple[Path, Path],
    summary: RoleSummary,
    monkeypatch: pytest.MonkeyPatch,
    measured: dict[str, int],
) -> None:
    if measured:
        keep_summary(msgspec.structs.replace(summary, **measured))
    read: list[Model] = []
    monkeypatch.setattr(Model, "read_sum", lambda self, cancelled: read.append(self) or "")
    opened.open(folders[0])
    qtbot.waitUntil(opened.is_at_rest)
    assert opened.roles is None
    assert read == []


def test_weights_that_are_gone_are_no_matter(
    opened: Opened, qtbot: QtBot, folders: tuple[Path, Path], summary: RoleSummary, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Model, cancelled: Callable[[], bool]) -> str:
        raise ModelError("cannot be read any more")

    keep_summary(summary)
    monkeypatch.setattr(Model, "read_sum", fail)
    opened.open(folders[0])
    qtbot.waitUntil(opened.is_at_rest)
    assert opened.roles is None
    assert opened.session.state.failure is None


def test_roles_that_were_measured_meanwhile_are_the_newest(
    opened: Opened, qtbot: QtBot, folders: tuple[Path, Path], summary: RoleSummary
) -> None:
    keep_summary(summary)
    opened.open(folders[0])
    newer = summary_for(opened.session.state.run, {})
    opened.session.set_roles(newer)
    qtbot.waitUntil(opened.is_at_rest)
    assert opened.roles is newer


def test_a_closing_window_looks_no_further(
    opened: Opened, qtbot: QtBot, folders: tuple[Path, Path], summary: RoleSummary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sum that would take for ever is called off."""

    def read_sum(self: Model, cancelled: Callable[[], bool]) -> str:
        while not cancelled():
            pass
        return summary.model_sha256

    keep_summary(summary)
    monkeypatch.setattr(Model, "read_sum", read_sum)
    opened.open(folders[0])
    qtbot.waitUntil(lambda: opened.kept._found.is_making)
    opened.kept.stop()
    opened.open(folders[1])
    assert opened.is_at_rest()
    assert opened.roles is None


# --- in the window ----------------------------------------------------------------------------------------------------


def test_all_of_the_window_says_what_a_head_does(hands: Hands) -> None:
    roles = summary_for(hands.run, {(3, 1): ("pronoun", "obj>", "first"), (2, 4): ("previous",)})
    reader, session = hands.reader, hands.window.session
    hands.window.session.show(layer=3)
    scene = hands.canvas.scene
    session.set_roles(roles)
    assert hands.canvas.scene is scene  # the arcs are as they were
    assert "pronoun" in reader.chips.chip(1).toolTip()
    assert hands.canvas.head_notes == {1: f"roles: pronoun {ARROW} antecedent, object {ARROW} verb"}
    session.show(arc=None, heads=HeadChoice(frozenset({1}), 12))
    reader.pictures.arcPicked.emit(hands.position("it"), hands.position("animal"))
    assert reader.side.pair.roles() == f"roles: pronoun {ARROW} antecedent, object {ARROW} verb"
    session.show(picture="grid")
    hands.settle()
    grid = reader.pictures.currentWidget()
    assert len(grid.scene.marks) == 3
    assert reader.head_panel.role_names() == f"pronoun, obj{ARROW}verb"
    hands.point(grid.on_screen(grid.scene.cell(2, 4).left + 2, grid.scene.cell(2, 4).top + 2).toPoint(), grid)
    assert grid.hovered == (2, 4)
    assert [cell.roles for cell in grid.scene.cells if (cell.layer, cell.head) == grid.hovered] == [roles.roles(2, 4)]
    session.ask(head_count=6)
    hands.settle()
    assert grid.scene.marks == ()
    assert "pronoun" not in reader.chips.chip(1).toolTip()
    assert hands.canvas.head_notes == {}


def test_the_pointer_names_the_roles_of_an_arcs_head_below_the_arc(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    tips: list[str] = []
    monkeypatch.setattr(canvas_module, "paint_tip", lambda text, *rest, **how: tips.append(text))
    hands.window.session.show(layer=3)
    strongest = len(hands.scene.arcs) - 1
    head = int(hands.scene.arcs.head[strongest])
    for heads in ({(3, head): ("pronoun", "obj>")}, {}):
        hands.window.session.set_roles(summary_for(hands.run, heads))
        hands.point(hands.at_arc(strongest))
        hands.canvas.grab()
    assert tips[0].split("\n")[1] == f"roles: pronoun {ARROW} antecedent, object {ARROW} verb"
    assert f"   H{head}   " in tips[0].split("\n")[0]
    assert "\n" not in tips[-1]


def test_roles_that_come_late_are_marked_on_the_grid_that_is_there(hands: Hands) -> None:
    hands.window.session.show(picture="grid")
    hands.settle()
    grid = hands.reader.pictures.currentWidget()
    assert grid.scene.marks == ()
    hands.window.session.set_roles(summary_for(hands.run, {(2, 4): ("previous",)}))
    assert len(grid.scene.marks) == 1


def test_the_panels_button_leads_to_the_roles_of_its_head(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(hands.window.roles_actions, "show_roles", lambda layer, head: asked.append((layer, head)))
    hands.window.session.show(picture="grid", layer=3, heads=HeadChoice(frozenset({1}), 12))
    hands.settle()
    hands.reader.head_panel.roles.button.click()
    assert asked == [(3, 1)]


def test_what_was_measured_of_a_model_is_there_when_a_window_opens(
    open_reader: Callable[..., Hands], minilm_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_roles, "_AFTER_MS", 1)
    model = load_model(minilm_path)
    trace = model.trace("cat")
    request = Request(minilm_path, "cat")
    roles = summary_for(Run(request, model, trace, 1.0, 0.0, trace, request), {(0, 2): ("previous",)})
    keep_summary(roles)
    hands = open_reader()
    hands.until(lambda: hands.state.roles == roles)
    assert "previous token" in hands.reader.chips.chip(2).toolTip()
