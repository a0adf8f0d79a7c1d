"""The export dialog and the clipboard."""

from __future__ import annotations

import csv
import io
import json
import shlex
import threading
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage, QImageReader
from PySide6.QtWidgets import QApplication

from attnviz.cli import main
from attnviz.export import figure
from attnviz.scene.theme import load_theme
from attnviz.session.settings import load_settings
from attnviz.ui import export_dialog
from attnviz.ui import window as window_module
from attnviz.ui.export_dialog import FORMS, PRESETS, ExportDialog
from tests.ui.hands import CTRL, LEFT, PATIENCE_MS, Hands

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from attnviz.ui.copying import Copy


SVG = "{http://www.w3.org/2000/svg}"


class Desk:
    """The dialog, opened by its key, and a folder to write to."""

    def __init__(self, hands: Hands, folder: Path) -> None:
        self.hands = hands
        self.folder = folder
        self.before = {path.name for path in folder.iterdir()}
        hands.settle()
        hands.key("e", None, CTRL)
        self.dialog = [child for child in hands.window.children() if isinstance(child, ExportDialog)][-1]
        hands.until(self.dialog.isVisible)

    def close(self) -> None:
        for dialog in self.hands.window.findChildren(ExportDialog):
            dialog.close()

    def choose(self, suffix: str) -> None:
        self.dialog.form_box.setCurrentIndex([form.suffix for form in FORMS].index(suffix))

    def name(self, path: Path | str) -> None:
        self.hands.key("a", self.dialog.path_field, CTRL)
        self.hands.qtbot.keyClick(self.dialog.path_field, Qt.Key.Key_Delete)
        self.hands.qtbot.keyClicks(self.dialog.path_field, str(path))
        assert self.dialog.path_field.text() == str(path)

    def press(self) -> str:
        """Press Export and wait; the sentence that comes."""
        self.hands.qtbot.mouseClick(self.dialog.export_button, LEFT)
        self.hands.until(self.dialog.export_button.isEnabled)
        return self.dialog.message()

    def copy(self) -> str:
        """Press Copy and wait; the sentence that comes."""
        self.hands.qtbot.mouseClick(self.dialog.copy_button, LEFT)
        self.hands.until(self.dialog.copy_button.isEnabled)
        return self.dialog.message()

    def preview(self) -> QImage:
        return self.dialog._preview.pixmap().toImage()

    def written(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()} - self.before


@pytest.fixture
def desk(hands: Hands, tmp_path: Path) -> Iterator[Desk]:
    hands.key("1")  # one head: few arcs, quick previews
    desk = Desk(hands, tmp_path)
    yield desk
    desk.close()


def written(desk: Desk, suffix: str) -> Path:
    """The file of a figure, or of the numbers of the whole run."""
    desk.choose(suffix)
    desk.dialog.numbers_box.setCurrentText("The whole run")
    path = desk.folder / f"figure{suffix}"
    desk.name(path)
    assert desk.press() == f"Written: {path}"
    assert desk.written() == {path.name}  # nothing else, no leftovers
    return path


def test_a_png_has_the_chosen_size_and_resolution(desk: Desk) -> None:
    image = QImage(str(written(desk, ".png")))
    assert image.width() == 1650  # 5.5 in at 300 dpi
    assert round(image.dotsPerMeterX() * 0.0254) == 300


def test_an_svg_is_xml_with_the_tokens_as_text(desk: Desk) -> None:
    root = ElementTree.fromstring(written(desk, ".svg").read_bytes())
    text = " ".join("".join(element.itertext()) for element in root.iter() if element.tag.endswith("text"))
    assert "animal" in text
    assert root.get("viewBox").split()[2] == "528"


def test_a_pdf_is_one_page_of_the_chosen_width(desk: Desk) -> None:
    pypdf = pytest.importorskip("pypdf")
    pages = pypdf.PdfReader(str(written(desk, ".pdf"))).pages
    assert len(pages) == 1
    assert float(pages[0].mediabox.width) == pytest.approx(5.5 * 72, abs=1)


def test_an_npz_holds_the_traces_numbers(desk: Desk) -> None:
    trace = desk.hands.run.trace
    with np.load(written(desk, ".npz")) as file:
        assert file["tokens"].tolist() == trace.tokens
        assert np.array_equal(file["attention"], np.stack([trace.attention(layer) for layer in range(6)]))


def test_the_numbers_can_be_those_of_the_picture_alone(desk: Desk) -> None:
    desk.choose(".npz")
    assert "words, sinks and heads as it has them" in desk.dialog.message()
    path = desk.folder / "figure.npz"
    desk.name(path)
    assert desk.press() == f"Written: {path}"
    with np.load(path) as file:
        assert file["heads"].tolist() == [1]  # the one that is shown
        assert "[CLS]" not in file["key_tokens"].tolist()
        assert np.array_equal(file["weights"][0, 0], desk.hands.run.trace.attention(0)[1, 1:-1, 1:-1])


def test_a_json_holds_the_traces_numbers_and_where_they_come_from(desk: Desk) -> None:
    content = json.loads(written(desk, ".json").read_bytes())
    assert content["tokens"] == desk.hands.run.trace.tokens
    assert np.array_equal(np.array(content["attention"][0], np.float32), desk.hands.run.trace.attention(0))
    assert content["provenance"]["text"] == desk.hands.state.text


def test_a_csv_has_one_weight_a_line(desk: Desk) -> None:
    lines = written(desk, ".csv").read_text().splitlines()
    rows = list(csv.DictReader(io.StringIO("\n".join(line for line in lines if not line.startswith("#")))))
    assert len(rows) == 6 * 12 * 15 * 15
    last = rows[-1]
    assert np.float32(last["weight"]) == desk.hands.run.trace.attention(5)[11, 14, 14]


def test_the_kind_changes_the_ending_of_the_name(desk: Desk) -> None:
    for form in FORMS:
        desk.choose(form.suffix)
        assert Path(desk.dialog.path_field.text()).suffix == form.suffix
        assert desk.dialog.theme_box.isVisible() == form.is_figure
        assert desk.dialog.dpi_box.isVisible() == (form.suffix == ".png")


def test_an_ending_that_was_typed_decides(desk: Desk) -> None:
    desk.name(desk.folder / "typed.svg")
    desk.press()
    assert (desk.folder / "typed.svg").read_bytes().lstrip().startswith(b"<?xml")


def test_the_preview_follows_theme_width_and_background(desk: Desk) -> None:
    light = desk.preview()
    desk.hands.key(Qt.Key.Key_Down, desk.dialog.theme_box)
    dark = desk.preview()
    assert dark != light
    assert dark.pixelColor(2, 2).lightness() < 60 < light.pixelColor(2, 2).lightness()
    desk.hands.key(Qt.Key.Key_Up, desk.dialog.theme_box)
    desk.dialog.preset_box.setCurrentIndex([inches for _, inches in PRESETS].index(3.25))
    narrow = desk.preview()
    assert narrow.size() != light.size()
    desk.dialog.background_box.setCurrentIndex(1)
    assert desk.preview().pixelColor(2, 2).alpha() == 0


def test_dark_ink_is_never_put_on_white(desk: Desk) -> None:
    desk.hands.key(Qt.Key.Key_Down, desk.dialog.theme_box)
    assert desk.dialog.background_box.currentText() == "Transparent"
    assert QImage(str(written(desk, ".png"))).pixelColor(2, 2).alpha() == 0
    desk.dialog.background_box.setCurrentText("White")
    assert desk.dialog.paper().theme == "light"
    assert desk.preview().pixelColor(2, 2) == QColor("#ffffff")


@pytest.mark.parametrize("shown", ["light", "dark"])
def test_as_shown_is_as_the_window_shows_it(hands: Hands, tmp_path: Path, shown: str) -> None:
    hands.choose_menu(f"go_{shown}")
    hands.key("1")
    desk = Desk(hands, tmp_path)
    for theme in ("Light", "Dark"):  # whichever was chosen before
        desk.dialog.background_box.setCurrentText("Transparent")
        desk.dialog.theme_box.setCurrentText(theme)
        desk.dialog.background_box.setCurrentText("As shown")
        assert desk.dialog.theme_box.currentText() == shown.capitalize()
    image = QImage(str(written(desk, ".png")))
    assert image.pixelColor(2, 2) == QColor(hands.scene.theme.paper) == QColor(load_theme(shown).paper)
    desk.close()


def test_a_width_in_other_units_is_the_same_width(desk: Desk) -> None:
    dialog = desk.dialog
    dialog.unit_box.setCurrentIndex(1)
    assert dialog.width_box.value() == pytest.approx(139.7)
    dialog.width_box.setValue(82.55)
    assert dialog.paper().width == pytest.approx(3.25)
    assert dialog.preset_box.currentText() in {"Own width", "ICML: column"}


def test_a_file_that_is_there_is_replaced_only_at_the_second_press(desk: Desk) -> None:
    path = desk.folder / "there.svg"
    path.write_text("mine")
    desk.choose(".svg")
    desk.name(path)
    assert desk.press() == "there.svg is there already; press Replace to write over it, or change the name."
    assert desk.dialog.export_button.text() == "Replace"
    assert path.read_text() == "mine"
    assert desk.press() == f"Written: {path}"
    assert path.read_text() != "mine"
    assert desk.dialog.export_button.text() == "Export"


def test_another_name_after_the_first_press_asks_again(desk: Desk) -> None:
    for name in ("a.svg", "b.svg"):
        (desk.folder / name).write_text("mine")
    desk.name(desk.folder / "a.svg")
    desk.press()
    desk.name(desk.folder / "b.svg")
    assert "is there already" in desk.press()
    assert {(desk.folder / name).read_text() for name in ("a.svg", "b.svg")} == {"mine"}


UNUSABLE = ("nowhere/figure.png", "", "   ", "x" * 300 + ".png", "~nobody-of-that-name/f.png", ".", "/", "data", "figure.tiff")


def test_a_place_that_cannot_be_written_is_one_sentence_and_no_file(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk.folder)
    for suffix in (".png", ".npz"):
        for name in UNUSABLE:
            desk.choose(suffix)
            desk.name(name)
            sentence = desk.press()
            assert sentence.endswith("."), name
            assert not sentence.startswith("Written")
            assert "Errno" not in sentence
            assert desk.written() == set()
            desk.dialog._message.clear()


def test_any_name_outlives_a_change_of_kind(desk: Desk) -> None:
    for name in ("", ".", "/", "x" * 300, "~nobody-of-that-name/f"):
        desk.name(name)
        for form in FORMS:
            desk.choose(form.suffix)


def test_a_picture_too_large_is_one_sentence(desk: Desk) -> None:
    desk.dialog.dpi_box.setValue(2400)
    desk.dialog.width_box.setValue(60)
    desk.name(desk.folder / "large.png")
    assert "is too large; choose a smaller width or fewer dpi" in desk.press()
    assert desk.written() == set()


def test_the_folder_is_remembered(desk: Desk) -> None:
    desk.name(desk.folder / "home" / "x.svg")
    desk.press()
    assert load_settings().export_folder == str(desk.folder / "home")
    desk.close()
    again = Desk(desk.hands, desk.folder)
    assert Path(again.dialog.path_field.text()).parent == desk.folder / "home"


def check_clipboard(hands: Hands) -> None:
    content = QApplication.clipboard().mimeData()
    assert content.hasImage()
    image = QImage(content.imageData())
    assert image.width() == 1650  # 5.5 in at 300 dpi
    assert image.pixelColor(2, 2) == QColor("#ffffff")
    svg = ElementTree.fromstring(bytes(content.data("image/svg+xml").data()))
    assert "animal" in " ".join("".join(text.itertext()) for text in svg.iter(f"{SVG}text"))
    check_facts(hands, svg.findtext(f"{SVG}desc"))


def check_facts(hands: Hands, facts: str | None) -> None:
    """A figure says what it takes to make it again: where its numbers come from, and what of them it shows."""
    told = json.loads(facts or "")
    view = hands.state.view
    assert told["model_sha256"] == hands.run.model.sha256
    assert told["text"] == hands.state.text
    assert told["layer"] == view.layer
    assert told["heads"] == sorted(set(hands.scene.arcs.head.tolist()))
    assert told["focus"] == view.focus == hands.scene.focus
    assert told["threshold"] == {view.threshold.kind: view.threshold.value}
    assert told["sinks"]["kinds"] == sorted(view.sinks.kinds)
    assert view.sinks.hide_specials == ("[CLS]" not in hands.words())


def test_every_figure_says_what_it_takes_to_make_it_again(desk: Desk) -> None:
    desk.close()
    hands = desk.hands
    hands.key("S")
    hands.key("]")
    hands.click_token(hands.position("street"))
    hands.key(Qt.Key.Key_Left, hands.reader.threshold.slider)
    again = Desk(hands, desk.folder)
    check_facts(hands, QImageReader(str(written(again, ".png"))).text("Provenance"))
    again.folder.joinpath("figure.png").unlink()
    check_facts(hands, ElementTree.fromstring(written(again, ".svg").read_bytes()).findtext(f"{SVG}desc"))
    view = hands.state.view
    assert (view.layer, view.threshold.value, view.sinks.hide_specials) == (1, 0.69, False)  # not what it is at first
    assert view.focus is not None


def test_copy_puts_picture_and_svg_on_the_clipboard(desk: Desk) -> None:
    QApplication.clipboard().clear()
    assert desk.copy() == "Copied, as a picture and as SVG."
    check_clipboard(desk.hands)


def test_ctrl_shift_c_copies_the_picture(hands: Hands) -> None:
    QApplication.clipboard().clear()
    hands.key("1")
    hands.key("c", None, CTRL | Qt.KeyboardModifier.ShiftModifier)
    hands.until(lambda: "Copied" in hands.window.statusBar().currentMessage())
    check_clipboard(hands)


def test_a_picture_too_large_to_copy_is_one_sentence(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figure, "MOST_PIXELS", 1_000)
    QApplication.clipboard().setText("mine")
    hands.key("c", None, CTRL | Qt.KeyboardModifier.ShiftModifier)
    hands.until(lambda: "is too large" in hands.window.statusBar().currentMessage())
    assert QApplication.clipboard().text() == "mine"


def test_an_export_shows_what_the_window_showed(desk: Desk) -> None:
    desk.close()
    desk.hands.click_stop(desk.hands.reader.head_counts, 4)
    again = Desk(desk.hands, desk.folder)
    again.choose(".svg")
    again.name(desk.folder / "what-if.svg")
    again.press()
    text = " ".join(" ".join(ElementTree.fromstring((desk.folder / "what-if.svg").read_bytes()).itertext()).split())
    assert "What if this model had 4 heads?" in text
    assert "cosine of 0.76 to the trained" in text


def test_the_dialogs_picture_can_be_read_by_qt_itself(desk: Desk) -> None:
    assert QImageReader(str(written(desk, ".png"))).text("Title").startswith("Attention of all-MiniLM-L6-v2, layer 0")


def test_a_name_without_an_ending_gets_that_of_the_kind(desk: Desk) -> None:
    desk.choose(".pdf")
    desk.name(desk.folder / "figure")
    assert desk.press() == f"Written: {desk.folder / 'figure.pdf'}"


# --- while it is written ----------------------------------------------------------------------------------------------


class Gate:
    """Goes round a function that works off the window's thread and lets it go on when the test says so."""

    def __init__(self, work: Callable[..., object]) -> None:
        self.work = work
        self.came: list[str] = []
        self.open = threading.Event()

    def __call__(self, *args: object) -> object:
        self.came.append(threading.current_thread().name)
        self.open.wait(PATIENCE_MS / 1000)
        return self.work(*args)


@pytest.fixture
def writing(monkeypatch: pytest.MonkeyPatch) -> Gate:
    gate = Gate(export_dialog._write)
    monkeypatch.setattr(export_dialog, "_write", gate)
    return gate


@pytest.fixture
def copying(monkeypatch: pytest.MonkeyPatch) -> Gate:
    gate = Gate(window_module.make_copy)
    monkeypatch.setattr(window_module, "make_copy", gate)
    return gate


def test_while_a_file_is_written_the_window_lives_and_no_other_can_be_begun(desk: Desk, writing: Gate) -> None:
    path = desk.folder / "figure.svg"
    desk.name(path)
    desk.hands.qtbot.mouseClick(desk.dialog.export_button, LEFT)
    desk.hands.until(lambda: writing.came == ["attnviz-export"])
    assert desk.dialog.message() == "Writing\N{HORIZONTAL ELLIPSIS}"
    assert not desk.dialog.export_button.isEnabled()
    assert not desk.dialog.copy_button.isEnabled()
    desk.hands.qtbot.keyClick(desk.dialog, Qt.Key.Key_Return)
    desk.hands.qtbot.mouseClick(desk.dialog.copy_button, LEFT)
    desk.dialog.unit_box.setCurrentIndex(1)  # the fields answer
    assert desk.dialog.width_box.value() == pytest.approx(139.7)
    assert desk.written() == set()
    writing.open.set()
    desk.hands.until(desk.dialog.export_button.isEnabled)
    assert desk.dialog.copy_button.isEnabled()
    assert desk.dialog.message() == f"Written: {path}"
    assert writing.came == ["attnviz-export"]


def test_after_a_failure_the_next_press_writes(desk: Desk) -> None:
    desk.name(desk.folder / "nowhere" / "figure.svg")
    assert not desk.press().startswith("Written")
    desk.name(desk.folder / "figure.svg")
    assert desk.press() == f"Written: {desk.folder / 'figure.svg'}"


def end_by_escape(desk: Desk) -> None:
    desk.hands.qtbot.keyClick(desk.dialog, Qt.Key.Key_Escape)


def end_by_closing(desk: Desk) -> None:
    desk.dialog.close()


def end_with_the_window(desk: Desk) -> None:
    desk.hands.window.close()


@pytest.mark.parametrize("end", [end_by_escape, end_by_closing, end_with_the_window])
def test_a_file_that_is_being_written_is_written_whole_however_the_dialog_ends(
    desk: Desk, writing: Gate, end: Callable[[Desk], None]
) -> None:
    path = desk.folder / "home" / "figure.png"
    desk.name(path)
    desk.hands.qtbot.mouseClick(desk.dialog.export_button, LEFT)
    desk.hands.until(lambda: bool(writing.came))
    writing.open.set()
    end(desk)
    assert "attnviz-export" not in {thread.name for thread in threading.enumerate()}
    assert QImage(str(path)).width() == 1650
    desk.hands.until(lambda: load_settings().export_folder == str(path.parent))


def test_a_copy_under_way_is_not_begun_again(hands: Hands, copying: Gate) -> None:
    hands.key("1")
    for _ in range(3):
        hands.window.copy_picture()
    hands.until(lambda: bool(copying.came))
    assert hands.window.statusBar().currentMessage() == "Copying\N{HORIZONTAL ELLIPSIS}"
    hands.key("]")  # the window lives
    assert hands.state.view.layer == 1
    copying.open.set()
    hands.until(lambda: "Copied" in hands.window.statusBar().currentMessage())
    assert copying.came == ["attnviz-copy"]


def test_closing_the_window_waits_for_a_copy(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Copy] = []
    make_copy = window_module.make_copy

    def make(*what: object) -> Copy:
        made.append(make_copy(*what))
        return made[-1]

    monkeypatch.setattr(window_module, "make_copy", make)
    hands.window.copy_picture()
    hands.window.close()
    assert len(made) == 1
    assert "attnviz-copy" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize(("picture", "inches"), [("arcs", 5.5), ("grid", 5.5), ("matrix", 5.5), ("steps", 13.33)])
def test_each_picture_is_exported_as_it_is_shown(hands: Hands, tmp_path: Path, picture: str, inches: float) -> None:
    hands.key("1")
    hands.window.session.show(picture=picture)
    desk = Desk(hands, tmp_path)
    assert desk.dialog.paper().width == inches
    assert not desk.preview().isNull()
    root = ElementTree.fromstring(written(desk, ".svg").read_bytes())
    text = " ".join("".join(element.itertext()) for element in root.iter() if element.tag.endswith("text"))
    says = {"arcs": "animal", "grid": "each square is one head", "matrix": "each row is a token", "steps": "Softmax"}
    assert says[picture] in text
    desk.close()


def test_copy_command_gives_the_command_that_writes_the_figure_again(desk: Desk) -> None:
    path = written(desk, ".svg")
    before = path.read_bytes()
    hands = desk.hands
    hands.qtbot.mouseClick(desk.dialog.command_button, LEFT)
    assert desk.dialog.message() == "Copied the command that writes this file."
    name, *arguments = shlex.split(QApplication.clipboard().text())
    path.unlink()
    assert name == "attnviz"
    assert main(arguments) == 0
    assert path.read_bytes() == before
