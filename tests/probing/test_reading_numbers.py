"""Running a model over a plan: each number is what the model does with that text alone, however packs and threads deal them out."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from attnviz.analysis.likeness import cosines
from attnviz.engine.changes import NOTHING, HeadAt
from attnviz.engine.model import load_model
from attnviz.errors import Cancelled
from attnviz.probing import numbers as numbers_module
from attnviz.probing import plan as plan_module
from attnviz.probing.kept import Shelf
from attnviz.probing.numbers import LEAST_MUTED, MOST_MUTED, mute_heads, muted_texts, parts_of, read_numbers
from attnviz.probing.observing import observe
from attnviz.probing.plan import packs_of, plan_for
from tests.golden.families_reader import weights, write_model, write_weights
from tests.probing.small import FEW

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from attnviz.engine.model import Model
    from attnviz.probing.cases import Asked
    from attnviz.probing.numbers import Numbers

NOWHERE = Shelf(None)
pytestmark = pytest.mark.usefixtures("small_bundle")


def assert_same(one: Numbers, other: Numbers) -> None:
    assert all(np.array_equal(a, b) for a, b in zip(one.gets + one.weights, other.gets + other.weights, strict=True))


@pytest.mark.parametrize("case", ["bert-mlm", "bloom-lm", "gpt2-lm", "t5-tied", "llama-gqa"])
def test_numbers_are_those_of_each_text_alone(tiny: Callable[[str], Model], case: str) -> None:
    model = tiny(case)
    plan = plan_for(model, FEW)
    found = read_numbers(model, plan, NOWHERE)
    chosen = [at for at, text in enumerate(plan.texts) if text.sentence is not None]
    for at in chosen:
        text = plan.texts[at]
        trace = model.trace(FEW.sentences[text.sentence].text, "x" if model.config.decoder else None)
        for layer in range(model.config.stack.n_layer):
            gets, on_targets = observe(text, trace.attention(layer))
            np.testing.assert_allclose(found.gets[at][layer], gets, rtol=1e-3, atol=1e-4)
            np.testing.assert_allclose(found.weights[at][layer], on_targets, rtol=1e-3, atol=1e-4)
    assert all(one.shape[:2] == (model.config.stack.n_layer, model.config.stack.n_head) for one in found.gets + found.weights)


def test_a_needle_counts_where_the_model_says_it_next(tiny: Callable[[str], Model], monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny("bloom-lm")
    plan = plan_for(model, FEW)
    needles = {text.id: text for text in plan.texts if text.predicted}
    assert len(needles) > 1
    watched: dict[str, list[np.ndarray | None]] = {}
    often = Counter(number for text in needles.values() for _, number in text.predicted).most_common(1)[0][0]

    def predict(hidden: np.ndarray) -> np.ndarray:
        """Scores of a model that says one token wherever its vector points one way, and another one elsewhere."""
        scores = np.zeros((len(hidden), model.config.n_vocab), np.float32)
        scores[np.arange(len(hidden)), np.where(hidden[:, 0] > hidden[:, 1], often, 0)] = 1
        return scores

    def watching(text: Asked, attention: np.ndarray, said: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        watched.setdefault(text.id, []).append(said)
        return observe(text, attention, said)

    monkeypatch.setattr(model, "predict", predict)
    monkeypatch.setattr(numbers_module, "observe", watching)
    read_numbers(model, plan, NOWHERE)
    assert all(len(said) == model.config.n_layer for said in watched.values())
    for name, said in watched.items():
        if name in needles:
            places, numbers = zip(*needles[name].predicted, strict=True)
            hidden = model.read_packed([needles[name].encoding]).hidden
            told = predict(hidden[list(places)]).argmax(axis=-1)
            assert all((one == (told == np.array(numbers))).all() for one in said)
        else:
            assert said == [None] * model.config.n_layer
    every = np.concatenate([watched[name][0] for name in needles])
    assert 0 < every.sum() < len(every)


@pytest.mark.parametrize("pack_tokens", [1, 60, 10_000])
def test_packs_and_threads_deal_out_the_same_numbers(
    tiny: Callable[[str], Model], monkeypatch: pytest.MonkeyPatch, pack_tokens: int
) -> None:
    model = tiny("bert-mlm")
    whole = read_numbers(model, plan_for(model, FEW), NOWHERE)
    monkeypatch.setattr(plan_module, "PACK_TOKENS", pack_tokens)
    plan = plan_for(model, FEW)
    runs = []
    for n in (1, 4):
        monkeypatch.setattr(numbers_module, "n_processor", lambda n=n: n)
        runs.append(read_numbers(model, plan, NOWHERE))
    assert_same(*runs)
    for one, other in zip(whole.gets + whole.weights, runs[0].gets + runs[0].weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)


def test_packs_are_read_at_the_same_time(tiny: Callable[[str], Model], monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny("bert-mlm")
    monkeypatch.setattr(plan_module, "PACK_TOKENS", 60)
    monkeypatch.setattr(numbers_module, "n_processor", lambda: 3)
    plan = plan_for(model, FEW)
    assert len(plan.packs) >= 3
    together, read = threading.Barrier(3), model.read_packed

    def waiting(*args: object, **more: object) -> object:
        if next(calls, None) is not None:
            together.wait(20)  # breaks, and fails the test, unless three come at once
        return read(*args, **more)

    calls = iter(range(3))
    monkeypatch.setattr(model, "read_packed", waiting)
    read_numbers(model, plan, NOWHERE)


@pytest.mark.parametrize("n", [1, 4])
def test_progress_counts_texts_to_the_last(tiny: Callable[[str], Model], monkeypatch: pytest.MonkeyPatch, n: int) -> None:
    model = tiny("bert-mlm")
    monkeypatch.setattr(plan_module, "PACK_TOKENS", 60)
    monkeypatch.setattr(numbers_module, "n_processor", lambda: n)
    plan = plan_for(model, FEW)
    told: list[tuple[int, int]] = []
    read_numbers(model, plan, NOWHERE, progress=lambda done, total: told.append((done, total)))
    assert told == [(int(done), len(plan.texts)) for done in np.cumsum([len(pack) for pack in plan.packs])]
    told.clear()
    mute_heads(model, plan, [0, 1, 2], NOWHERE, progress=lambda done, total: told.append((done, total)))
    total = model.config.n_layer * len(packs_of([plan.texts[at].n_token for at in (0, 1, 2)]))
    assert told == [(done, total) for done in range(1, total + 1)]


@pytest.mark.parametrize("n", [1, 3])
def test_it_stops_where_it_is_called_off(tiny: Callable[[str], Model], monkeypatch: pytest.MonkeyPatch, n: int) -> None:
    model = tiny("bert-mlm")
    monkeypatch.setattr(plan_module, "PACK_TOKENS", 60)
    monkeypatch.setattr(numbers_module, "n_processor", lambda: n)
    plan = plan_for(model, FEW)
    for run in (
        lambda cancelled: read_numbers(model, plan, NOWHERE, cancelled),
        lambda cancelled: mute_heads(model, plan, [0, 1, 2], NOWHERE, cancelled),
    ):
        for after in (0, 1, 5):
            calls = iter([False] * after)
            with pytest.raises(Cancelled):
                run(lambda calls=calls: next(calls, True))
    assert not [one for one in threading.enumerate() if one.name.startswith("probing")]


def test_heads_are_muted_in_sentences_spread_over_the_plan(tiny: Callable[[str], Model]) -> None:
    model = tiny("bert-mlm")
    plan = plan_for(model, FEW)
    sentences = [at for at, text in enumerate(plan.texts) if text.sentence is not None]
    assert muted_texts(model, plan) == muted_texts(model, plan, 1_000) == tuple(sentences)
    assert muted_texts(model, plan, 0) == ()
    for n in range(1, len(sentences)):
        chosen = muted_texts(model, plan, n)
        assert len(set(chosen)) == n
        assert set(chosen) <= set(sentences)
        assert n == 1 or (chosen[0], chosen[-1]) == (sentences[0], sentences[-1])
        assert n < 3 or max(np.diff(chosen)) - min(np.diff(chosen)) <= 1


def test_models_of_more_heads_are_muted_in_fewer_sentences(tiny: Callable[[str], Model], monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny("bert-mlm")
    plan = plan_for(model, FEW)
    many = replace(plan, texts=plan.texts[: len(FEW.sentences)] * 20)
    found = {}
    for n_layer, n_head in ((2, 3), (12, 12), (24, 16), (80, 64)):
        stack = replace(model.config.stack, n_layer=n_layer, n_head=n_head)
        monkeypatch.setattr(model, "config", replace(model.config, stack=stack))
        found[n_layer * n_head] = len(muted_texts(model, many))
    assert found == {6: MOST_MUTED, 144: 62, 384: 23, 5120: LEAST_MUTED}


@pytest.mark.parametrize("case", ["bert-mlm", "llama-gqa", "t5-tied"])
def test_importance_is_how_far_the_final_vectors_turn_without_a_head(tiny: Callable[[str], Model], case: str) -> None:
    model = tiny(case)
    plan = plan_for(model, FEW)
    texts = muted_texts(model, plan, 4)
    found = mute_heads(model, plan, texts, NOWHERE)
    assert found.texts == texts
    assert found.changes.shape == (4, model.config.stack.n_layer, model.config.stack.n_head)
    for at, number in enumerate(texts):
        text, kind = FEW.sentences[plan.texts[number].sentence].text, model.config.kinds[0]
        pair = "x" if model.config.decoder else None
        whole = model.trace(text, pair)
        for layer in range(model.config.stack.n_layer):
            for head in range(model.config.stack.n_head):
                muted = model.trace(text, pair, changes=NOTHING.with_muted(HeadAt(kind, layer, head), True))
                wanted = 1 - cosines(muted.hidden, whole.hidden).mean()
                assert found.changes[at, layer, head] == pytest.approx(wanted, abs=2e-5)
    assert found.changes.max() > 1e-3


def test_a_head_whose_output_is_nothing_matters_nothing(tmp_path: Path) -> None:
    folder = write_model("bert-mlm", tmp_path)
    tensors = weights("bert-mlm")
    width = tensors["bert.encoder.layer.1.attention.output.dense.weight"].shape[1] // 3
    tensors["bert.encoder.layer.1.attention.output.dense.weight"][:, width : 2 * width] = 0
    write_weights(tensors, folder)
    model = load_model(folder)
    plan = plan_for(model, FEW)
    changes = mute_heads(model, plan, muted_texts(model, plan), NOWHERE).changes
    assert np.abs(changes[:, 1, 1]).max() == 0
    assert np.delete(changes.reshape(len(changes), -1), 4, axis=1).min() > 0


@pytest.mark.parametrize("pack_tokens", [1, 60, 10_000])
def test_muting_is_the_same_in_any_packs_and_threads(
    tiny: Callable[[str], Model], monkeypatch: pytest.MonkeyPatch, pack_tokens: int
) -> None:
    model = tiny("bert-mlm")
    plan = plan_for(model, FEW)
    texts = muted_texts(model, plan, 5)
    whole = mute_heads(model, plan, texts, NOWHERE).changes
    monkeypatch.setattr(plan_module, "PACK_TOKENS", pack_tokens)
    runs = []
    for n in (1, 4):
        monkeypatch.setattr(numbers_module, "n_processor", lambda n=n: n)
        runs.append(mute_heads(model, plan, texts, NOWHERE).changes)
    assert np.array_equal(*runs)
    np.testing.assert_allclose(runs[0], whole, atol=1e-5)


def test_muting_in_no_text_is_no_run(tiny: Callable[[str], Model], monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny("bert-mlm")
    plan = plan_for(model, FEW)
    monkeypatch.setattr(model, "read_packed", None)
    assert mute_heads(model, plan, (), NOWHERE).changes.shape == (0, 2, 3)


def test_the_parts_that_are_named_are_those_that_are_kept(
    tiny: Callable[[str], Model], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    model = tiny("bert-mlm")
    monkeypatch.setattr(plan_module, "PACK_TOKENS", 60)
    plan = plan_for(model, FEW)
    texts, shelf = muted_texts(model, plan, 7), Shelf(tmp_path / "shelf")
    names = parts_of(model, plan, texts)
    assert shelf.count(names) == 0
    read_numbers(model, plan, shelf)
    assert shelf.count(names) == len(plan.packs) == len(parts_of(model, plan, ()))
    mute_heads(model, plan, texts, shelf)
    assert sorted(f"{name}.npz" for name in names) == sorted(path.name for path in (tmp_path / "shelf").iterdir())
    assert shelf.count(names) == len(names)
