"""What the names of .gguf files say: which files are one model, and which of a repository's variants it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from attnviz.engine.files import GGUF_PART

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# How the numbers are stored, as llama.cpp's llama-quantize names it; "UD" and "i1" are added by people who publish them.
_STORED: Final = re.compile(
    r"(?:^|[-._/])((?:UD[-_]|i1[-_])?(?:I?Q\d|TQ\d|BF16|F16|F32|FP16|FP32|MXFP4)(?:_[A-Z0-9]+)*)(?=$|[-._/])", re.IGNORECASE
)
# Files beside a language model: its eyes, and the statistics that a quantisation was made with.
_BESIDE: Final = re.compile(r"(^|[-._])(mmproj|imatrix)([-._]|$)", re.IGNORECASE)


@dataclass(frozen=True)
class GgufFiles:
    """The file or files of one model. stem: their common name without .gguf and numbers; names: first part first."""

    stem: str
    names: tuple[str, ...]
    n_bytes: int
    is_whole: bool  # whether all parts are there

    @property
    def first(self) -> str:
        """The file to open."""
        return self.names[0]


def group_gguf(sizes: Mapping[str, int]) -> list[GgufFiles]:
    """The models among files, by their names with / and their sizes; what only stands beside a model is left out."""
    parts: dict[tuple[str, int], dict[int, str]] = {}
    for name in sorted(sizes):
        path = PurePosixPath(name)
        if path.suffix.lower() != ".gguf" or _BESIDE.search(path.stem):
            continue
        part = GGUF_PART.fullmatch(str(path))
        key = (part["name"], int(part["count"])) if part else (str(path.with_suffix("")), 1)
        parts.setdefault(key, {})[int(part["number"]) if part else 1] = name
    return [_grouped(stem, count, names, sizes) for (stem, count), names in parts.items() if 1 in names]


def variant_names(groups: Iterable[GgufFiles]) -> list[str]:
    """A short name for each model of one repository: how its numbers are stored where that tells them apart, else its file's."""
    stems = [group.stem for group in groups]
    names = stems
    for shorter in (_file_of, _stored_as):
        short = [shorter(stem) for stem in stems]
        names = [one if short.count(one) == 1 else name for one, name in zip(short, names, strict=True)]
    return names


def _grouped(stem: str, count: int, names: dict[int, str], sizes: Mapping[str, int]) -> GgufFiles:
    ordered = tuple(names[number] for number in sorted(names))
    return GgufFiles(stem, ordered, sum(sizes[name] for name in ordered), set(names) == set(range(1, count + 1)))


def _file_of(stem: str) -> str:
    return PurePosixPath(stem).name


def _stored_as(stem: str) -> str:
    found = _STORED.findall(stem)
    return found[-1].upper() if found else _file_of(stem)
