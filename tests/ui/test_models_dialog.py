"""The list of models: what is there, what cannot be run and why, how one is found and opened."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QTreeWidgetItem

from attnviz.errors import Cancelled, ModelError
from attnviz.library.closed import CLOSED_MODELS
from attnviz.session.settings import load_settings
from attnviz.ui import model_choice
from attnviz.ui.hub_dialog import HubDialog
from attnviz.ui.models_dialog import ModelsDialog
from tests.engine.tiny_bert import write_bert
from tests.ui.hands import CTRL, LEFT, Hands

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QLabel


@pytest.fixture
def others(own_folders: Path) -> Path:
    """Two more models on this machine: one that runs and one of a family that attnviz does not know."""
    write_bert(own_folders / "models" / "mine")
    foreign = write_bert(own_folders / "models" / "foreign")
    config = json.loads((foreign / "config.json").read_text())
    (foreign / "config.json").write_text(json.dumps(config | {"model_type": "mamba"}))
    return own_folders / "models"


@pytest.fixture
def hands(others: Path, open_reader: Callable[..., Hands]) -> Hands:
    del others
    return open_reader()


def opened(hands: Hands) -> ModelsDialog:
    """The dialog, once it has looked through the machine."""
    hands.key("m", None, CTRL)
    hands.until(lambda: bool(hands.window.findChildren(ModelsDialog)))
    dialog = hands.window.findChildren(ModelsDialog)[-1]
    hands.until(lambda: dialog.table.topLevelItemCount() > 0)
    return dialog


def rows(dialog: ModelsDialog) -> dict[str, QTreeWidgetItem]:
    """The rows that can be seen, by the name in them."""
    items = [dialog.table.topLevelItem(i) for i in range(dialog.table.topLevelItemCount())]
    return {item.text(0): item for item in items if not item.isHidden()}


def test_each_model_is_listed_with_family_layers_heads_size_and_place(hands: Hands) -> None:
    found = rows(opened(hands))
    assert set(found) == {"minilm", "mine", "foreign"}
    cells = [found["minilm"].text(column) for column in range(6)]
    assert cells == ["minilm", "bert", "6", "12", "91 MB", "attnviz"]


def test_the_open_model_is_picked_at_first(hands: Hands) -> None:
    dialog = opened(hands)
    assert dialog.chosen() is not None
    assert dialog.chosen().name == "minilm"


def test_a_model_that_cannot_be_run_says_why_and_cannot_be_opened(hands: Hands) -> None:
    dialog = opened(hands)
    item = rows(dialog)["foreign"]
    assert "mamba" in item.toolTip(0)
    dialog.table.setCurrentItem(item)
    assert not dialog.open_button.isEnabled()
    dialog.table.itemActivated.emit(item, 0)
    assert dialog.isVisible()
    assert "1 that attnviz cannot run" in dialog.message()


def test_writing_a_part_of_the_name_and_enter_opens_the_model(hands: Hands, others: Path) -> None:
    dialog = opened(hands)
    hands.qtbot.keyClicks(dialog.filter_field, "bert MIN")
    assert set(rows(dialog)) == {"mine", "minilm"}
    hands.qtbot.keyClicks(dialog.filter_field, "e")
    assert set(rows(dialog)) == {"mine"}
    hands.qtbot.keyClick(dialog.filter_field, Qt.Key.Key_Return)
    hands.until(lambda: hands.run.request.model == others / "mine")
    assert hands.reader.model_box.currentText() == "mine"


def test_the_arrow_keys_move_in_the_list_while_the_filter_is_written(hands: Hands) -> None:
    dialog = opened(hands)
    hands.qtbot.keyClick(dialog.filter_field, Qt.Key.Key_Up)
    assert dialog.chosen().name == "mine"
    hands.qtbot.keyClick(dialog.filter_field, Qt.Key.Key_Down)
    assert dialog.chosen().name == "minilm"


def test_a_filter_that_nothing_passes_opens_nothing(hands: Hands) -> None:
    dialog = opened(hands)
    hands.qtbot.keyClicks(dialog.filter_field, "no such model")
    assert rows(dialog) == {}
    assert dialog.chosen() is None
    assert not dialog.open_button.isEnabled()


def test_columns_of_numbers_sort_as_numbers(hands: Hands) -> None:
    dialog = opened(hands)
    for column in (2, 4):
        dialog.table.sortByColumn(column, Qt.SortOrder.DescendingOrder)
        assert dialog.table.topLevelItem(0).text(0) == "minilm"


def test_it_says_that_closed_models_cannot_be_opened_by_anybody(hands: Hands) -> None:
    labels: list[QLabel] = opened(hands).findChildren(type(hands.reader._look))
    assert CLOSED_MODELS in [label.text() for label in labels]
    assert all(name in CLOSED_MODELS for name in ("GPT-4", "Gemini", "Claude"))


@pytest.mark.parametrize(
    ("button", "kind"), [("folder_button", QFileDialog), ("file_button", QFileDialog), ("hub_button", HubDialog)]
)
def test_its_buttons_lead_to_the_other_ways(hands: Hands, button: str, kind: type) -> None:
    dialog = opened(hands)
    hands.qtbot.mouseClick(getattr(dialog, button), LEFT)
    hands.until(lambda: any(one.isVisible() for one in hands.window.findChildren(kind)))
    assert not dialog.isVisible()


@pytest.mark.parametrize("entry", ["All models…", "Get from the Hub…"])
def test_the_model_box_leads_to_the_list_and_to_the_hub_and_keeps_its_model(hands: Hands, entry: str) -> None:
    hands.until(lambda: not hands.window.models.is_searching)
    box = hands.reader.model_box
    box.activated.emit(box.findText(entry))
    kind = {"All models…": ModelsDialog, "Get from the Hub…": HubDialog}[entry]
    hands.until(lambda: any(one.isVisible() for one in hands.window.findChildren(kind)))
    assert box.currentText() == "all-MiniLM-L6-v2"


def test_a_model_from_elsewhere_is_remembered_and_listed_next_time(
    hands: Hands, tmp_path: Path, open_reader: Callable[..., Hands]
) -> None:
    elsewhere = write_bert(tmp_path / "elsewhere")
    hands.window.open_model(elsewhere)
    hands.until(lambda: hands.run.request.model == elsewhere)
    assert load_settings().recent[0] == str(elsewhere)
    hands.window.close()
    again = open_reader()
    again.until(lambda: not again.window.models.is_searching)
    assert again.reader.model_box.findText("elsewhere") >= 0
    assert rows(opened(again))[f"{tmp_path.name}/elsewhere"].text(5) == "recent"


def test_the_window_can_be_closed_while_the_machine_is_looked_through(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = []

    def slow(recent: object, cancelled: Callable[[], bool]) -> list[object]:
        while not cancelled():
            pass
        ended.append(True)
        raise Cancelled

    hands.until(lambda: not hands.window.models.is_searching)
    monkeypatch.setattr(model_choice, "find_models", slow)
    hands.window.show_models()
    dialog = hands.window.findChildren(ModelsDialog)[-1]
    assert "Looking at this machine" in dialog.message()
    dialog.reject()
    assert not ended  # the dialog waits for nothing
    hands.window.close()
    assert ended


def test_what_arrives_during_a_search_is_found_by_another(hands: Hands, others: Path) -> None:
    hands.window.models.search()
    write_bert(others / "late")
    hands.window.models.search()
    hands.until(lambda: hands.reader.model_box.findText("late") >= 0)


def test_a_search_that_fails_says_so_and_can_be_made_again(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(recent: object, cancelled: object) -> None:
        raise ModelError("The disk is gone; look again later.")

    hands.until(lambda: not hands.window.models.is_searching)
    with monkeypatch.context() as gone:
        gone.setattr(model_choice, "find_models", broken)
        hands.window.show_models()
        dialog = hands.window.findChildren(ModelsDialog)[-1]
        hands.until(lambda: dialog.message() == "The disk is gone; look again later.")
    hands.window.models.search()
    hands.until(lambda: dialog.table.topLevelItemCount() == 3)


def test_models_of_one_name_and_place_are_told_apart_by_their_folders(hands: Hands, tmp_path: Path) -> None:
    for run in ("run1", "run2"):
        hands.window.open_model(write_bert(tmp_path / run / "final"))
        hands.until(lambda run=run: hands.run.request.model.parent.name == run)
        hands.settle()
    hands.window.models.search()
    hands.until(lambda: hands.reader.model_box.findText("run1/final") >= 0 and hands.reader.model_box.findText("run2/final") >= 0)
    assert {"run1/final", "run2/final"} <= set(rows(opened(hands)))


def test_more_memory_for_weights_is_kept_and_used(hands: Hands, monkeypatch: pytest.MonkeyPatch, others: Path) -> None:
    from attnviz.session import run as run_module

    budgets = []
    load = run_module.load_model

    def watched(path: Path, **how: object) -> object:
        budgets.append(how["budget"])
        return load(path, **how)

    monkeypatch.setattr(run_module, "load_model", watched)
    actions = {action.text(): action for action in hands.window.memory_menu.actions()}
    assert actions["Half of what is free"].isChecked()
    actions["2 GiB"].trigger()
    hands.window.open_model(others / "mine")
    hands.until(lambda: hands.run.model.name == "mine")
    assert budgets == [2 << 30]
    assert load_settings().weights_gib == 2.0
