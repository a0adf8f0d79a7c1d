"""Getting a model from the Hub in the window: asked, offered, fetched, opened; called off; refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt

from attnviz.library.places import models_folder
from attnviz.ui.hub_dialog import HubDialog
from tests.golden.families_reader import write_model
from tests.library.hub_stand_in import ModelHub, Repository
from tests.ui.hands import LEFT, Hands
from tests.ui.small_gguf import write_small_gguf

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "someone/tiny-llama"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelHub]:
    """The Hub, on this machine."""
    with ModelHub() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url())
        for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
            monkeypatch.delenv(name, raising=False)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.setenv(name, "127.0.0.1")
        yield server


@pytest.fixture
def dialog(hands: Hands, hub: ModelHub, tmp_path: Path) -> HubDialog:
    """The dialog, over a Hub that has a model as safetensors."""
    hub.repositories[NAME] = Repository.of(write_model("llama-gqa", tmp_path / "published"), card={"license": "llama3.2"})
    hands.window.get_from_hub()
    return hands.window.findChildren(HubDialog)[-1]


def look_up(hands: Hands, dialog: HubDialog, name: str) -> None:
    dialog.name_field.setFocus()
    dialog.name_field.selectAll()
    hands.qtbot.keyClicks(dialog.name_field, name)
    hands.qtbot.keyClick(dialog.name_field, Qt.Key.Key_Return)
    hands.until(lambda: not dialog.cancel_button.isVisible() and dialog.message() != "Asking the Hub…")


def test_what_it_is_and_how_large_is_said_before_anything_is_fetched(hands: Hands, dialog: HubDialog, hub: ModelHub) -> None:
    assert not dialog.look_up_button.isEnabled()
    assert not dialog.get_button.isEnabled()
    look_up(hands, dialog, f" {hub.url()}/{NAME} ")
    facts = dialog.facts()
    assert f"{NAME}: llama, 2 layers of 4 heads" in facts
    assert "llama3.2" in facts
    assert "in 3 files" in facts
    assert hub.served("model.safetensors") == 0
    assert dialog.get_button.isEnabled()


def test_enter_twice_fetches_and_opens_the_model(hands: Hands, dialog: HubDialog, hub: ModelHub) -> None:
    look_up(hands, dialog, NAME)
    hands.qtbot.keyClick(dialog.get_button, Qt.Key.Key_Return)
    hands.until(lambda: hands.run.request.model == models_folder() / "someone--tiny-llama")
    hands.settle()
    assert not hands.window.findChildren(HubDialog)
    assert hands.run.trace.head_count == 4
    hands.until(lambda: not hands.window.models.is_searching)
    assert hands.reader.model_box.currentData() == models_folder() / "someone--tiny-llama"
    assert not any(name.endswith((".bin", ".h5", ".py")) for name in hub.asked_for())


def test_a_gguf_repository_offers_its_variants(hands: Hands, dialog: HubDialog, hub: ModelHub, tmp_path: Path) -> None:
    path = write_small_gguf(tmp_path / "gguf" / "tiny.F16.gguf")
    content = path.read_bytes()
    hub.repositories["someone/tiny-GGUF"] = Repository(
        {"tiny.F16.gguf": content, "tiny.F32.gguf": content + bytes(1 << 16)}, gguf={"architecture": "llama"}
    )
    look_up(hands, dialog, "someone/tiny-GGUF")
    assert dialog.variant_box.isVisible()
    assert [dialog.variant_box.itemData(i) for i in range(dialog.variant_box.count())] == ["F16", "F32"]
    before = dialog.facts()
    dialog.variant_box.setCurrentIndex(1 - dialog.variant_box.currentIndex())
    assert dialog.facts() != before
    dialog.variant_box.setCurrentIndex(0)
    hands.qtbot.mouseClick(dialog.get_button, LEFT)
    hands.until(lambda: hands.run.model.name == "tiny.F16")


@pytest.mark.parametrize(
    ("name", "repository", "words"),
    [
        ("no-one/nothing", None, "no such model"),
        ("../../etc", None, "owner/name"),
        ("a/gated", {"gated": "manual"}, "HF_TOKEN"),
        ("a/pickle", {"only": "pytorch_model.bin"}, "pickle"),
    ],
)
def test_what_cannot_be_had_is_one_sentence_and_another_can_be_tried(
    hands: Hands, dialog: HubDialog, hub: ModelHub, name: str, repository: dict[str, str] | None, words: str
) -> None:
    if repository is not None:
        files = hub.repositories[NAME].files
        kept = {repository["only"]: b"\x80\x04", "config.json": files["config.json"]} if "only" in repository else files
        hub.repositories[name] = Repository(kept, gated=repository.get("gated", False))
    look_up(hands, dialog, name)
    assert words in dialog.message()
    assert dialog.message().endswith(".")
    assert not dialog.get_button.isEnabled()
    look_up(hands, dialog, NAME)
    assert dialog.get_button.isEnabled()
    assert dialog.message() == ""


def test_another_name_takes_the_offer_away(hands: Hands, dialog: HubDialog) -> None:
    look_up(hands, dialog, NAME)
    hands.qtbot.keyClicks(dialog.name_field, "2")
    assert not dialog.get_button.isEnabled()
    assert not any(label.isVisible() for label in dialog._facts.values())


def test_a_download_that_is_called_off_goes_on_from_there_the_next_time(hands: Hands, dialog: HubDialog, hub: ModelHub) -> None:
    hub.stalls.add("model.safetensors")
    look_up(hands, dialog, NAME)
    hands.qtbot.mouseClick(dialog.get_button, LEFT)
    hands.until(lambda: hub.served("model.safetensors") > 0)
    hands.qtbot.mouseClick(dialog.cancel_button, LEFT)
    hands.until(lambda: dialog.message().startswith("Stopped"))
    assert not (models_folder() / "someone--tiny-llama").exists()
    hub.stalls.clear()
    hub.go_on.set()
    hands.qtbot.mouseClick(dialog.get_button, LEFT)
    hands.until(lambda: hands.run.request.model == models_folder() / "someone--tiny-llama")
    again = [asked for asked in hub.log if asked.what == "model.safetensors" and asked.start > 0]
    assert again


def test_closing_the_window_calls_a_download_off(hands: Hands, dialog: HubDialog, hub: ModelHub) -> None:
    hub.stalls.add("model.safetensors")
    look_up(hands, dialog, NAME)
    hands.qtbot.mouseClick(dialog.get_button, LEFT)
    hands.until(lambda: hub.served("model.safetensors") > 0)
    hands.window.close()
    assert not (models_folder() / "someone--tiny-llama").exists()
