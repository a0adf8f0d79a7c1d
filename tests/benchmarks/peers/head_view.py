"""BertViz's head view of a text: what its page takes to be made and to open, and the page, which does gestures."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Final

from tests.benchmarks.peers.browser import Page, PageStopped, chromium
from tests.benchmarks.peers.pages import NoScripts
from tests.benchmarks.rows import Row, spread
from tests.benchmarks.timing import PASSES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.benchmarks.peers.peer import Peer

_MIB: Final = 1 << 20


class HeadView:
    """The head view of one text. Use it as a context; its browser ends with it.

    said: why there is no page to do gestures in, empty while there is one; rows: what of it has nothing of attnviz's beside it;
    whole: milliseconds from a text to its picture, the pass, the making of the page and its opening; None without a page.
    """

    def __init__(self, peer: Peer, model: Path, ids: Sequence[int], tokens: list[str], layer: int, folder: Path) -> None:
        folder.mkdir()
        asked = {"ids": list(map(int, ids)), "tokens": tokens, "layer": layer, "to": str(folder / "made")}
        made = [peer.ask("head_view", model, **asked) for _ in range(3)]
        built = [one["ms"] for one in made]
        self._name = f"{len(ids)} tokens"
        self._page: Page | None = None
        self.said, self.whole = "", None
        self.rows = [
            Row("picture", f"{self._name}, page made, without the pass", "ms", None, spread(built)),
            Row("picture", f"{self._name}, size of the page", "MB", None, spread([made[0]["bytes"] / 1e6])),
        ]
        if chromium() is None:
            self.said = "there is no chromium on the PATH"
            return
        try:
            self._page = Page((folder / "made").read_text(encoding="utf-8"), folder)
        except (NoScripts, PageStopped) as error:
            self.said = str(error)
            return
        opened = f"{self._name}, page opens, with {self._page.n_line:,} lines"
        self.rows.append(Row("picture", opened, "ms", None, spread([self._page.opened])))
        self.whole = statistics.median(peer.passes(model, ids, PASSES)) + statistics.median(built) + self._page.opened

    def __enter__(self) -> HeadView:
        return self

    def __exit__(self, *_: object) -> None:
        if self._page is not None:
            self._page.__exit__()
            self._page = None

    @property
    def is_open(self) -> bool:
        """Whether there is a page that does gestures."""
        return self._page is not None

    def do(self, gesture: str) -> list[float]:
        """The milliseconds of a gesture; none where the page has stopped, which is the end of it."""
        if self._page is None:
            return []
        try:
            return [self._page.do(gesture)]
        except PageStopped as error:
            self.said = str(error)
            self.__exit__()
            return []

    def last_rows(self) -> list[Row]:
        """What is to be said of it at the end: the memory of the page, or why there is no page."""
        if self._page is None:
            return [Row("picture", f"{self._name}: without BertViz, as {self.said}", "ms", None)]
        return [Row("picture", f"{self._name}, memory of the page", "MiB", None, spread([self._page.memory() / _MIB]))]
