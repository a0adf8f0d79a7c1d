"""Running a model over a plan: what each head gets at each place, kept as it comes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.analysis.likeness import cosines
from attnviz.engine.changes import HeadAt
from attnviz.engine.model import nowhere
from attnviz.engine.threads import in_order, n_processor
from attnviz.errors import Cancelled, never
from attnviz.probing.observing import observe
from attnviz.probing.plan import packs_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from attnviz.engine.model import Model
    from attnviz.engine.ops import Float32
    from attnviz.engine.packed import Packed
    from attnviz.probing.cases import Asked
    from attnviz.probing.kept import Shelf
    from attnviz.probing.plan import Plan

# Sentences on which heads are muted, at the most and at the least, and how many runs of a sentence that may be in all.
MOST_MUTED: Final = 120
LEAST_MUTED: Final = 8
_RUNS: Final = 9_000


@dataclass(frozen=True)
class Numbers:
    """gets, weights: of each text, what each head gets of its questions and the weight it puts on their targets, summed over the
    cases, [layer, head, question]."""

    gets: tuple[Float32, ...]
    weights: tuple[Float32, ...]


@dataclass(frozen=True)
class Muted:
    """texts: numbers of the texts in which each head was muted in turn; changes: how much the final vectors then turned,
    1 - the mean cosine to those of the whole model, [text, layer, head]."""

    texts: tuple[int, ...]
    changes: Float32


def read_numbers(
    model: Model,
    plan: Plan,
    shelf: Shelf,
    cancelled: Callable[[], bool] = never,
    progress: Callable[[int, int], None] = nowhere,
) -> Numbers:
    """The numbers of all texts; packs that the shelf has are taken from it, the others put there one by one, so that a run that is
    called off goes on where it was. progress(texts read, of how many). Raises Cancelled, InputError or ModelError."""
    done, gets, weights = 0, {}, {}
    jobs = [(number, [plan.texts[at] for at in pack]) for number, pack in enumerate(plan.packs)]
    for number, arrays in _all(
        jobs, lambda job: shelf.get_or_make(_pack_name(job[0]), lambda: _read_pack(model, job[1], cancelled)), cancelled
    ):
        pack = plan.packs[number]
        sizes = [len(plan.texts[at].questions) for at in pack]
        for name, into in (("gets", gets), ("weights", weights)):
            into.update(zip(pack, np.split(arrays[name], np.cumsum(sizes)[:-1], axis=-1), strict=True))
        done += len(pack)
        progress(done, len(plan.texts))
    order = range(len(plan.texts))
    return Numbers(tuple(gets[at] for at in order), tuple(weights[at] for at in order))


def parts_of(model: Model, plan: Plan, texts: Sequence[int]) -> tuple[str, ...]:
    """The names of all parts that a shelf has once the plan is read and heads were muted in `texts`."""
    n_muted = len(packs_of([plan.texts[at].n_token for at in texts]))
    muted = (_muted_name(texts, number, layer) for number in range(n_muted) for layer in range(model.config.stack.n_layer))
    return (*map(_pack_name, range(len(plan.packs))), *muted)


def muted_texts(model: Model, plan: Plan, most: int | None = None) -> tuple[int, ...]:
    """The texts in which heads are muted: sentences evenly spread over the plan, fewer for a model of many heads."""
    stack = model.config.stack
    n = max(LEAST_MUTED, min(MOST_MUTED, _RUNS // (stack.n_layer * stack.n_head))) if most is None else most
    sentences = [at for at, text in enumerate(plan.texts) if text.sentence is not None]
    if n >= len(sentences):
        return tuple(sentences)
    return tuple(sentences[at] for at in np.linspace(0, len(sentences) - 1, n).astype(int)) if n else ()


def mute_heads(
    model: Model,
    plan: Plan,
    texts: Sequence[int],
    shelf: Shelf,
    cancelled: Callable[[], bool] = never,
    progress: Callable[[int, int], None] = nowhere,
) -> Muted:
    """How much each head's output matters to the final vectors in some texts of the plan. Resumes as `read_numbers` does.

    progress(layers of packs done, of how many). Source: Michel et al. 2019, "Are Sixteen Heads Really Better than One?", who leave
    out one head at a time; the measure here is the model's own output, as there is no task.
    """
    stack = model.config.stack
    packs = [[texts[at] for at in pack] for pack in packs_of([plan.texts[at].n_token for at in texts])]
    parts, done, total = [], 0, len(packs) * stack.n_layer
    for number, pack in enumerate(packs):
        asked = [plan.texts[at] for at in pack]
        base: list[Packed] = []
        layers = []
        for _, changes in _all(
            [(layer, None) for layer in range(stack.n_layer)],
            lambda job, number=number, asked=asked, base=base: shelf.get_or_make(
                _muted_name(texts, number, job[0]), lambda: _mute_layer(model, asked, job[0], base, cancelled)
            ),
            cancelled,
        ):
            layers.append(changes["changes"])
            done += 1
            progress(done, total)
        parts.append(np.stack(layers, axis=1))  # [text, layer, head]
    changes = np.concatenate(parts) if parts else np.zeros((0, stack.n_layer, stack.n_head), np.float32)
    return Muted(tuple(texts), changes)


def _pack_name(number: int) -> str:
    return f"pack-{number:05d}"


def _muted_name(texts: Sequence[int], number: int, layer: int) -> str:
    return f"muted-{len(texts):05d}-{number:05d}-{layer:04d}"


def _read_pack(model: Model, asked: Sequence[Asked], cancelled: Callable[[], bool]) -> dict[str, Float32]:
    """What each head gets in some texts: [layer, head, question], the questions of all texts side by side."""
    stack = model.config.stack
    gets, weights = ([np.zeros((stack.n_layer, stack.n_head, len(text.questions)), np.float32) for text in asked] for _ in range(2))
    later: list[tuple[int, int, Float32]] = []

    def see(text: int, layer: int, attention: Float32) -> None:
        if asked[text].predicted:
            later.append((text, layer, attention))
        else:
            gets[text][layer], weights[text][layer] = observe(asked[text], attention)

    packed = model.read_packed([text.encoding for text in asked], see, cancelled=cancelled)
    said = {at: says(model, packed, at, text) for at, text in enumerate(asked) if text.predicted}
    for text, layer, attention in later:
        gets[text][layer], weights[text][layer] = observe(asked[text], attention, said[text])
    return {"gets": np.concatenate(gets, axis=-1), "weights": np.concatenate(weights, axis=-1)}


def says(model: Model, packed: Packed, at: int, asked: Asked) -> np.ndarray:
    """Whether the model's likeliest next token is the one that should come, at each place that is asked for."""
    places, wanted = (list(side) for side in zip(*asked.predicted, strict=True))
    return model.predict(packed.hidden[packed.rows[at]][places]).argmax(axis=-1) == np.array(wanted)


def _mute_layer(
    model: Model, asked: Sequence[Asked], layer: int, base: list[Packed], cancelled: Callable[[], bool]
) -> dict[str, Float32]:
    """The change of each text's final vectors when each head of a layer is muted, [text, head]; base: the whole model's run, made
    by the first that needs it."""
    encodings = [text.encoding for text in asked]
    if not base:
        base.append(model.read_packed(encodings, cancelled=cancelled))
    whole, changes = base[0], np.zeros((len(asked), model.config.stack.n_head), np.float32)
    for head in range(model.config.stack.n_head):
        packed = model.read_packed(encodings, muted=HeadAt(model.config.kinds[0], layer, head), like=whole, cancelled=cancelled)
        turned = 1 - cosines(packed.hidden, whole.hidden)
        changes[:, head] = [turned[rows].mean() for rows in whole.rows]
    return {"changes": changes}


def _all(
    jobs: Sequence[tuple[int, object]], make: Callable, cancelled: Callable[[], bool]
) -> Iterator[tuple[int, dict[str, Float32]]]:
    """What `make` gives for each job, with the jobs' numbers, in their order; as many at one time as there are processors, since
    NumPy lets go of the interpreter in its loops and each product runs on one thread."""

    def made(at: int) -> dict[str, Float32]:
        if cancelled():
            raise Cancelled
        return make(jobs[at])

    for (number, _), numbers in zip(jobs, in_order(made, len(jobs), n_processor()), strict=True):
        yield number, numbers
