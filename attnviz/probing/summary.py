"""The roles of a model's heads in short: what the window shows beside a head, kept for the next time the model is opened."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

import msgspec

from attnviz.errors import ExportError
from attnviz.library.whole import write_whole
from attnviz.probing.kept import shelves_folder
from attnviz.probing.measures import Group

if TYPE_CHECKING:
    from pathlib import Path

    from attnviz.probing.roles import HeadRoles, Role

_VERSION: Final = 1


class RoleLine(msgspec.Struct, frozen=True):
    """One role of a head. title: what it does; short: the same in a few letters; score, low, high: over the corpus with the ends of
    the 95 % interval; baseline, baseline_name: the best one; n_case: of how many cases."""

    key: str
    group: Group
    title: str
    short: str
    unit: str
    score: float
    low: float
    high: float
    baseline: float
    baseline_name: str
    n_case: int
    source: str

    @property
    def is_job(self) -> bool:
        """Whether it does something, rather than rest somewhere."""
        return self.group != "rest"


class HeadLine(msgspec.Struct, frozen=True):
    """The roles of one head, jobs first, the clearest first."""

    layer: int
    head: int
    roles: tuple[RoleLine, ...]


class RoleSummary(msgspec.Struct, frozen=True):
    """The heads of a model that have a role. kind: of the attention; n_layer, n_head: all heads that were measured."""

    version: int
    model: str
    model_sha256: str
    corpus: str
    corpus_sha256: str
    kind: str
    n_layer: int
    n_head: int
    n_sentence: int
    heads: tuple[HeadLine, ...]

    def roles(self, layer: int, head: int) -> tuple[RoleLine, ...]:
        """The roles of a head; () for none found."""
        return next((line.roles for line in self.heads if (line.layer, line.head) == (layer, head)), ())


def summary_of(roles: HeadRoles) -> RoleSummary:
    """The same in short."""
    every = [(layer, head) for layer in range(roles.n_layer) for head in range(roles.n_head)]
    heads = tuple(HeadLine(*at, tuple(line_of(role) for role in roles.roles(*at))) for at in every if roles.roles(*at))
    return RoleSummary(
        version=_VERSION,
        model=roles.model,
        model_sha256=roles.model_sha256,
        corpus=roles.corpus.name,
        corpus_sha256=roles.corpus.sha256,
        kind=roles.kind,
        n_layer=roles.n_layer,
        n_head=roles.n_head,
        n_sentence=len(roles.corpus.sentences),
        heads=heads,
    )


def line_of(role: Role) -> RoleLine:
    """One role in short."""
    measure, baseline = role.measure, role.measured.baseline
    figures = role.score, role.low, role.high, baseline.score, baseline.name, role.measured.n_case
    return RoleLine(measure.key, measure.group, measure.title, measure.short, measure.unit, *figures, measure.source)


def keep_summary(summary: RoleSummary) -> None:
    """Keep it for the next time that its model is opened; the newest of a model stays. A full disk keeps nothing."""
    path = _path_of(summary.model_sha256)
    with suppress(OSError, ExportError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, msgspec.json.encode(summary))


def kept_summary(model_sha256: str) -> RoleSummary | None:
    """The newest roles that were measured of the model with these weights on this machine; None if there are none."""
    found = _read(_path_of(model_sha256))
    return found if found is not None and found.model_sha256 == model_sha256 else None


def kept_shapes() -> set[tuple[int, int]]:
    """(layers, heads) of all models whose roles were measured on this machine. Of a model of another shape the weights' sum, for
    which a large one is read a while, need not be known."""
    found = [_read(path) for path in _folder().glob("*.json")]
    return {(one.n_layer, one.n_head) for one in found if one is not None}


def _read(path: Path) -> RoleSummary | None:
    try:
        found = msgspec.json.decode(path.read_bytes(), type=RoleSummary)
    except (OSError, ValueError):
        return None  # never measured, or damaged: it can be measured again
    return found if found.version == _VERSION else None


def _path_of(model_sha256: str) -> Path:
    return _folder() / f"{model_sha256[:24]}.json"


def _folder() -> Path:
    return shelves_folder().with_name("role-summaries")
