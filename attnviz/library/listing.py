"""Models and offers as lines of text for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attnviz.library.sizes import file_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from attnviz.library.found import FoundModel
    from attnviz.library.offer import Offer, Variant

_DIM, _PLAIN = "\x1b[2m", "\x1b[0m"
_HEADINGS: Final = ("NAME", "FAMILY", "LAYERS x HEADS", "SIZE", "PLACE", "PATH")
_RIGHT: Final = (2, 3)  # columns of numbers
_MOST_FILES: Final = 12


def model_lines(models: Sequence[FoundModel], in_colour: bool) -> Iterator[str]:
    """A table of models under its headings; one that attnviz cannot run has a "!" before it and the reason below it."""
    if not models:
        return
    rows = [_HEADINGS, *map(_cells, models)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    yield _aligned(" ", _HEADINGS, widths)
    for model, row in zip(models, rows[1:], strict=True):
        if model.why_not is None:
            yield _aligned(" ", row, widths)
            continue
        for line in (_aligned("!", row, widths), f"    cannot be run: {_clean(model.why_not)}"):
            yield f"{_DIM}{line}{_PLAIN}" if in_colour else line


def offer_lines(offer: Offer, chosen: Variant) -> Iterator[str]:
    """What a fetch would bring: model, licence, size, files, and the other variants there are."""
    shape = f", {offer.n_layer} layers x {offer.n_head} heads" if offer.n_layer and offer.n_head else ""
    yield f"{offer.repository} ({offer.family or 'GGUF'}{shape})"
    yield f"Licence: {offer.licence or 'none named by the repository; ask its owner before you use it for more than a look'}"
    yield f"Download: {file_size(chosen.n_bytes)} in {len(chosen.files)} file{'' if len(chosen.files) == 1 else 's'}"
    for file in chosen.files[:_MOST_FILES]:
        yield f"  {file_size(file.size):>10}  {_clean(file.name)}"
    if len(chosen.files) > _MOST_FILES:
        yield f"  and {len(chosen.files) - _MOST_FILES} more"
    if offer.variants[1:]:
        listed = ", ".join(f"{variant.name} ({file_size(variant.n_bytes)})" for variant in offer.variants)
        yield f"Variant: {_clean(chosen.name)}; there are {_clean(listed)}"


def _cells(model: FoundModel) -> tuple[str, ...]:
    name = model.path.name if model.place == "recent" else model.name  # its path stands in the last column
    cells = (name, model.family, f"{model.n_layer} x {model.n_head}", file_size(model.n_bytes), model.place, str(model.path))
    return tuple(map(_clean, cells))


def _aligned(mark: str, cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell.rjust(width) if column in _RIGHT else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return f"{mark} {'  '.join(padded)}".rstrip()


def _clean(text: str) -> str:
    """Without what would move the cursor: names come from files."""
    return "".join(character if character.isprintable() else "?" for character in text)
