"""Everything the menus and keys can do, as one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from attnviz.session.logarithm import is_logarithmic
from attnviz.session.view import PANEL_NAMES, PICTURE_NAMES, QUANTITY_NAMES, SETTING_NAMES

if TYPE_CHECKING:
    from attnviz.session.state import State

Menu = Literal["File", "Edit", "View", "Weights", "Model", "Heads", "Compare", "Analyse", "Help"]


@dataclass(frozen=True)
class ActionRow:
    """One action: its menu, text and keys; slot: the window's method that does it. checkable: it is on or off."""

    menu: Menu
    text: str
    keys: tuple[str, ...]
    slot: str
    checkable: bool = False
    separated: bool = False


ACTIONS = (
    ActionRow("File", "Write a sentence", ("Ctrl+L",), "write_sentence"),
    ActionRow("File", "Open session\N{HORIZONTAL ELLIPSIS}", ("Ctrl+O",), "open_session", separated=True),
    ActionRow("File", "Save session", ("Ctrl+S",), "save_session"),
    ActionRow("File", "Save session as\N{HORIZONTAL ELLIPSIS}", ("Ctrl+Shift+S",), "save_session_as"),
    ActionRow("File", "Export\N{HORIZONTAL ELLIPSIS}", ("Ctrl+E",), "export", separated=True),
    ActionRow("File", "Copy picture", ("Ctrl+Shift+C",), "copy_picture"),
    ActionRow("File", "Report\N{HORIZONTAL ELLIPSIS}", (), "report"),
    ActionRow("File", "Quit", ("Ctrl+Q",), "close", separated=True),
    ActionRow("Edit", "Undo", ("Ctrl+Z",), "undo"),
    ActionRow("Edit", "Redo", ("Ctrl+Shift+Z", "Ctrl+Y"), "redo"),
    ActionRow("View", "Arcs", ("Ctrl+1",), "show_arcs", checkable=True),
    ActionRow("View", "Grid", ("Ctrl+2",), "show_grid", checkable=True),
    ActionRow("View", "Matrix", ("Ctrl+3",), "show_matrix", checkable=True),
    ActionRow("View", "Steps", ("Ctrl+4",), "show_steps", checkable=True),
    ActionRow("View", "Previous layer", ("[",), "previous_layer", separated=True),
    ActionRow("View", "Next layer", ("]",), "next_layer"),
    ActionRow("View", "Previous token", (), "previous_token"),
    ActionRow("View", "Next token", (), "next_token"),
    ActionRow("View", "No token in focus", ("Esc",), "unpin"),
    ActionRow("View", "Reading panel", ("R",), "show_reading", checkable=True, separated=True),
    ActionRow("View", "What-if panel", ("I",), "show_what_if", checkable=True),
    ActionRow("View", "Prediction panel", ("P",), "show_prediction", checkable=True),
    ActionRow("View", "Zoom in", ("Ctrl++", "Ctrl+="), "zoom_in", separated=True),
    ActionRow("View", "Zoom out", ("Ctrl+-",), "zoom_out"),
    ActionRow("View", "Fit", ("Ctrl+0",), "fit"),
    ActionRow("View", "Follow the system's colours", (), "follow_system", checkable=True, separated=True),
    ActionRow("View", "Light", (), "go_light", checkable=True),
    ActionRow("View", "Dark", (), "go_dark", checkable=True),
    ActionRow("View", "Reduce motion", (), "toggle_motion", checkable=True, separated=True),
    ActionRow("Weights", "Attention", (), "show_attention", checkable=True),
    ActionRow("Weights", "Value-weighted", (), "show_norms", checkable=True),
    ActionRow("Weights", "Rollout", (), "show_rollout", checkable=True),
    ActionRow("Weights", "Mean of the shown heads", ("M",), "toggle_mean", checkable=True, separated=True),
    ActionRow("Weights", "Whole words", ("W",), "toggle_words", checkable=True),
    ActionRow("Weights", "Hide special tokens", ("S",), "toggle_specials", checkable=True),
    ActionRow("Weights", "Matrix in logarithmic colours", ("Ctrl+Shift+M",), "toggle_log", checkable=True, separated=True),
    ActionRow("Model", "All models\N{HORIZONTAL ELLIPSIS}", ("Ctrl+M",), "show_models"),
    ActionRow("Model", "Open a model folder\N{HORIZONTAL ELLIPSIS}", ("Ctrl+Shift+O",), "open_folder", separated=True),
    ActionRow("Model", "Open a GGUF file\N{HORIZONTAL ELLIPSIS}", (), "open_file"),
    ActionRow("Model", "Get from the Hub\N{HORIZONTAL ELLIPSIS}", ("Ctrl+Shift+G",), "get_from_hub"),
    ActionRow("Heads", "Run with fewer heads", ("-",), "fewer_heads"),
    ActionRow("Heads", "Run with more heads", ("+", "="), "more_heads"),
    ActionRow("Heads", "Run as trained", ("T",), "trained_heads"),
    ActionRow("Heads", "Show all heads", ("A",), "all_heads", separated=True),
    ActionRow("Heads", "Mute the shown heads", ("X",), "mute_shown", separated=True),
    ActionRow("Heads", "Take all changes back", ("Shift+X",), "take_all_back"),
    ActionRow("Model", "Write the next token", ("Ctrl+Return",), "write_one", separated=True),
    ActionRow("Model", "Write 20 tokens", ("Ctrl+Shift+Return",), "write_many"),
    ActionRow("Compare", "Compare with the model as trained", ("C",), "compare_trained"),
    ActionRow("Compare", "Compare with this run, kept as it is", ("K",), "compare_kept"),
    ActionRow("Compare", "Compare with another text", ("Ctrl+Shift+L",), "compare_text"),
    ActionRow("Compare", "Side by side", (), "compare_side", checkable=True, separated=True),
    ActionRow("Compare", "Draw the difference", ("D",), "compare_difference", checkable=True),
    ActionRow("Compare", "Stop comparing", ("Shift+C",), "compare_nothing", separated=True),
    ActionRow("Analyse", "Head roles", ("Ctrl+R",), "open_roles"),
    ActionRow("Help", "Keys", ("F1",), "show_keys"),
    ActionRow("Help", "About attnviz", (), "show_about"),
)


def ticks_of(state: State) -> dict[str, bool]:
    """Whether each entry that follows the view is on, by its slot."""
    view = state.view
    return {
        **{f"show_{picture}": view.picture == picture for picture in PICTURE_NAMES},
        **{f"show_{panel}": view.panel == panel for panel in PANEL_NAMES},
        **{f"show_{quantity}": view.quantity == quantity for quantity in QUANTITY_NAMES},
        **{f"compare_{setting}": view.setting == setting for setting in SETTING_NAMES},
        "toggle_mean": view.is_mean,
        "toggle_words": view.words,
        "toggle_specials": view.sinks.hide_specials,
        "toggle_log": is_logarithmic(state.run, view),
    }


# Keys that belong to no menu, for the page of keys.
OTHER_KEYS = (
    ("0 to 9", "Show that head alone; again: all heads"),
    ("Left, Right, Tab", "In the picture: the previous or next token; in grid and head roles the head beside"),
    ("Up, Down", "In grid and head roles: the head above or below; in the steps: the previous or next head"),
    ("Enter", "In grid and head roles: open the head; on a sentence of the evidence: read it"),
    ("Ctrl+C", "In the steps: copy the step under the pointer as NumPy"),
    ("Ctrl + wheel", "Zoom"),
    ("Wheel, drag", "Move the picture"),
    ("Double-click", "On a head: show it alone; on a token: mask it; on the picture: fit"),
    ("Drag", "From a token to another: choose that pair; a click on an arc chooses its pair"),
)
