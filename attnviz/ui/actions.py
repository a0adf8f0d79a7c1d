"""Everything the menus and keys can do, as one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from attnviz.session.view import PICTURE_NAMES, QUANTITY_NAMES

if TYPE_CHECKING:
    from attnviz.session.session import State

Menu = Literal["File", "View", "Weights", "Model", "Heads", "Help"]


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
    ActionRow("File", "Export\N{HORIZONTAL ELLIPSIS}", ("Ctrl+E",), "export", separated=True),
    ActionRow("File", "Copy picture", ("Ctrl+Shift+C",), "copy_picture"),
    ActionRow("File", "Quit", ("Ctrl+Q",), "close", separated=True),
    ActionRow("View", "Arcs", ("Ctrl+1",), "show_arcs", checkable=True),
    ActionRow("View", "Grid", ("Ctrl+2",), "show_grid", checkable=True),
    ActionRow("View", "Matrix", ("Ctrl+3",), "show_matrix", checkable=True),
    ActionRow("View", "Steps", ("Ctrl+4",), "show_steps", checkable=True),
    ActionRow("View", "Previous layer", ("[",), "previous_layer", separated=True),
    ActionRow("View", "Next layer", ("]",), "next_layer"),
    ActionRow("View", "Previous token", (), "previous_token"),
    ActionRow("View", "Next token", (), "next_token"),
    ActionRow("View", "No token in focus", ("Esc",), "unpin"),
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
    ActionRow("Model", "Open a model folder\N{HORIZONTAL ELLIPSIS}", ("Ctrl+O",), "open_folder", separated=True),
    ActionRow("Model", "Open a GGUF file\N{HORIZONTAL ELLIPSIS}", ("Ctrl+Shift+O",), "open_file"),
    ActionRow("Model", "Get from the Hub\N{HORIZONTAL ELLIPSIS}", ("Ctrl+Shift+G",), "get_from_hub"),
    ActionRow("Heads", "Run with fewer heads", ("-",), "fewer_heads"),
    ActionRow("Heads", "Run with more heads", ("+", "="), "more_heads"),
    ActionRow("Heads", "Run as trained", ("T",), "trained_heads"),
    ActionRow("Heads", "Show all heads", ("A",), "all_heads", separated=True),
    ActionRow("Help", "Keys", ("F1",), "show_keys"),
    ActionRow("Help", "About attnviz", (), "show_about"),
)


def ticks_of(state: State) -> dict[str, bool]:
    """Whether each entry that follows the view is on, by its slot."""
    view = state.view
    return {
        **{f"show_{picture}": view.picture == picture for picture in PICTURE_NAMES},
        **{f"show_{quantity}": view.quantity == quantity for quantity in QUANTITY_NAMES},
        "toggle_mean": view.is_mean,
        "toggle_words": view.words,
        "toggle_specials": view.sinks.hide_specials,
        "toggle_log": view.is_log,
    }


# Keys that belong to no menu, for the page of keys.
OTHER_KEYS = (
    ("0 to 9", "Show that head alone; again: all heads"),
    ("Left, Right, Tab", "In the picture: the previous or next token; in the grid the head beside"),
    ("Up, Down", "In the grid: the head above or below; in the steps: the previous or next head"),
    ("Enter", "In the grid: open the head"),
    ("Ctrl+C", "In the steps: copy the step under the pointer as NumPy"),
    ("Ctrl + wheel", "Zoom"),
    ("Wheel, drag", "Move the picture"),
    ("Double-click", "On a head: show it alone; on the picture: fit"),
)
