"""Models wired by hand, with a part of the bundled corpus that their vocabularies can hold."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import pytest

from attnviz.corpus.opening import bundled_corpus
from attnviz.engine.model import load_model
from attnviz.probing.kept import Shelf
from attnviz.probing.roles import measure_heads
from tests.golden.families_reader import write_model
from tests.probing.small import shrink_bundle
from tests.probing.wired import write_wired

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.corpus.corpus import Corpus
    from attnviz.engine.model import Model
    from attnviz.probing.roles import HeadRoles


@pytest.fixture(scope="session")
def some_corpus() -> Corpus:
    """A third of the bundled corpus, partners together: some 1,500 different words."""
    whole = bundled_corpus()
    chosen = [sentence for at, sentence in enumerate(whole.sentences) if at % 6 < 2]
    ids = {sentence.id for sentence in chosen}
    kept = tuple(sentence if sentence.partner in ids else replace(sentence, partner=None) for sentence in chosen)
    return replace(whole, sentences=kept)


@pytest.fixture(scope="session")
def measured(some_corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., HeadRoles]:
    """Measures the heads of a model that is wired so: measured(heads, causal=...)."""
    words = sorted({word.lower() for sentence in some_corpus.sentences for word in sentence.words})

    def measure(heads: list[list[object]], causal: bool, muted: int = 0) -> HeadRoles:
        folder = write_wired(tmp_path_factory.mktemp("wired"), heads, words, causal)
        return measure_heads(load_model(folder), some_corpus, muted=muted, shelf=Shelf(None))

    return measure


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Model]:
    """The tiny model of a case of tests/golden/families, opened once."""
    return cache(lambda case: load_model(write_model(case, tmp_path_factory.mktemp("tiny"))))


@pytest.fixture
def small_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plans take milliseconds: see `shrink_bundle`."""
    shrink_bundle(monkeypatch)
