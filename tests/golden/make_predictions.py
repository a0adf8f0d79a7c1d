"""Write the golden data of predictions: what transformers expects in masked places and behind texts.

    python -m tests.golden.make_predictions

needs torch and transformers; the tests that read the data (with `predictions_reader`) need neither. The models are those
of `make_families`, made again by `families_reader.write_model`, in float32 with eager attention, on the CPU and on one
thread. For each masked language model the script runs MASKED_TEXTS; for each causal one and each encoder-decoder it has
transformers' own `generate` continue a text greedily with its cache, past end tokens, and

1. makes the same logits and the last step's attention again without a cache: they must agree;
2. stops where the two best tokens are closer than CLEAR: another text must be found, or a continuation given;
3. stops where a chosen token's number has no spelling.

`predictions.json` has `made_with`, `smallest_gap` (of all greedy steps) and, under `masked`, `causal` and `translators`,
the fields of `predictions_reader`'s MaskedCase, CausalCase and TranslatorCase that are no arrays. `predictions.npz` is a
zip packed with LZMA; its arrays are called `<part>.<number of the case>.<field>` and are float32 cut into planes of bytes.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import tokenizers
import torch
import transformers

from tests.golden import predictions_reader as reader
from tests.golden.families_reader import read_about, write_model
from tests.golden.make_families import load_reference
from tests.golden.make_minilm import write_npz
from tests.golden.predictions_reader import CausalCase, MaskedCase, TranslatorCase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Case = MaskedCase | CausalCase | TranslatorCase

CLEAR: Final = 1e-2  # between the best two logits of a greedy step; the engine's are within 1e-4 of the reference's
SAME: Final = 1e-4  # between logits made with a cache and without
N_CAUSAL: Final = 12  # new tokens
N_TRANSLATED: Final = 8
MASKS: Final = ("[MASK]", "<mask>")
MASKED_TEXTS: Final = ("The {mask} slept in the café.", "The {mask} fox didn't {mask} because it was tired.")
MASKED: Final = (
    "bert-mlm",
    "roberta-mlm",
    "albert-mlm",
    "distilbert-mlm",
    "electra-generator",
    "modernbert-mlm",
    "xlm-roberta-mlm",
)


@dataclass(frozen=True)
class Prompt:
    """A text to continue, found by trying: greedy steps are clear, and where possible choose several tokens."""

    case: str
    text: str
    given: str | None = None  # what follows it where no text makes greedy steps clear


PROMPTS: Final = (
    Prompt("gpt2-lm", "Who slept in the"),
    Prompt("gpt-neox-parallel", "Tick tock is not the fox"),
    Prompt("opt-lm", "Café 東京 🦊 naïve –"),
    Prompt("bloom-lm", "The animal slept in the"),
    Prompt("llama-gqa", "Was it the fox"),
    Prompt("mistral-window", "The street was tired and it"),
    Prompt("qwen3-head-dim-tied", "12 and 12 make 24, and"),
    # The best logits of the tiny model all reach the cap, 2, where float32 does not tell them apart.
    Prompt("gemma2-caps-windows", "The animal was tired", given="and slept in the café, because it was not the street."),
    Prompt("gemma2-uncapped-layer-types", "The café crossed"),
    Prompt("gemma3-two-bases", "The fox slept in the"),
    Prompt("gpt-oss-windows-yarn", "The café didn't cross the street because it was"),
    Prompt("mixtral-two-of-four", "Why not made 12 and"),
    Prompt("olmo2-lm", "12 and 12 make 24, and"),
    # Its rotations change behind 16 tokens, and with them all keys: once before the first step, once in between.
    Prompt("phi3-longrope", "Café 東京 🦊 naïve –"),
    Prompt("phi3-longrope", "Because it made 12 and"),
)
TRANSLATED: Final = (
    Prompt("t5-tied", "It slept in the"),
    Prompt("bart-lm", "The fox didn't cross the street because it was"),
    Prompt("marian-mt", "Tick tock is not the fox"),
)


@dataclass(frozen=True)
class Reference:
    """A tiny model in transformers, and its tokenizer."""

    model: transformers.PreTrainedModel
    tokenizer: tokenizers.Tokenizer

    def run(self, ids: list[int], begun: list[int] | None) -> Any:
        """transformers' output for one text, without a cache; begun: the decoder's tokens of an encoder-decoder."""
        inputs = {"input_ids": torch.tensor([ids])}
        if begun is not None:
            inputs["decoder_input_ids"] = torch.tensor([begun])
        model = copy.deepcopy(self.model)  # longrope remembers the text that it has met
        with torch.no_grad():
            return model(**inputs, output_attentions=True, **({"use_cache": False} if model.can_generate() else {}))


@dataclass(frozen=True)
class Continued:
    """A text continued with a cache."""

    ids: list[int]  # the new tokens
    logits: torch.Tensor  # [step, vocab]
    attention: NDArray[np.float32]  # [layer, head, key] of the last step; an encoder-decoder's decoder's

    @property
    def gap(self) -> float:
        """The smallest lead of a step's best token."""
        return smallest_gap(self.logits)


def main() -> None:
    """Write both files and print what is in them."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    parts: dict[str, Sequence[Case]] = {
        "masked": [case for name in MASKED for case in predict_masks(name)],
        "causal": [continue_prompt(prompt) for prompt in PROMPTS],
        "translators": [translate(prompt) for prompt in TRANSLATED],
    }
    write_about(parts)
    write_numbers(parts)
    read_back(parts)
    print(f"{reader.ABOUT.stat().st_size:,} and {reader.NUMBERS.stat().st_size:,} bytes, smallest gap {smallest(parts):.4f}")


def predict_masks(name: str) -> list[MaskedCase]:
    """What a masked language model puts in the places of MASKED_TEXTS."""
    reference = load(name)
    mask = next(mask for mask in MASKS if reference.tokenizer.token_to_id(mask) is not None)
    cases = []
    for template in MASKED_TEXTS:
        text = template.format(mask=mask)
        ids = reference.tokenizer.encode(text).ids
        positions = [i for i, number in enumerate(ids) if number == reference.tokenizer.token_to_id(mask)]
        if len(positions) != template.count("{mask}"):
            raise SystemExit(f"{name}: the tokenizer does not read the masks of {text!r}")
        logits = reference.run(ids, None).logits[0, positions]
        cases.append(MaskedCase(name, text, ids, positions, torch.softmax(logits, -1).numpy()))
    print(f"{name}: {len(ids)} tokens, best {[round(float(case.probabilities.max()), 3) for case in cases]}")
    return cases


def continue_prompt(prompt: Prompt) -> CausalCase:
    """What a causal language model puts behind a prompt. Stops if a check fails."""
    reference = load(prompt.case)
    ids = reference.tokenizer.encode(prompt.text).ids
    given = None if prompt.given is None else reference.tokenizer.encode(prompt.given, add_special_tokens=False).ids
    continued = generate(reference, ids, None, N_CAUSAL, given)
    check(prompt, reference, ids, None, continued)
    return CausalCase(
        case=prompt.case,
        text=prompt.text,
        ids=ids,
        is_greedy=given is None,
        continuation=continued.ids,
        smallest_gap=continued.gap,
        cooler=torch.softmax(continued.logits[0] / reader.COOLER, -1).numpy(),
        step_probabilities=torch.softmax(continued.logits, -1).numpy(),
        last_attention=continued.attention,
    )


def translate(prompt: Prompt) -> TranslatorCase:
    """What an encoder-decoder writes for a text. Stops if a check fails."""
    reference = load(prompt.case)
    ids = reference.tokenizer.encode(prompt.text).ids
    # As in make_families: labels are the text with its specials; the decoder sees them shifted right, without the last.
    start = [reference.model.config.decoder_start_token_id, *reference.tokenizer.encode("").ids[:-1]]
    continued = generate(reference, ids, start, N_TRANSLATED, None)
    check(prompt, reference, ids, start, continued)
    return TranslatorCase(
        case=prompt.case,
        text=prompt.text,
        ids=ids,
        start=start,
        continuation=continued.ids,
        smallest_gap=continued.gap,
        step_probabilities=torch.softmax(continued.logits, -1).numpy(),
    )


def load(name: str) -> Reference:
    """The case's model, which generates as its logits say: no end, no forced or forbidden tokens."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = write_model(name, Path(temporary))
        model = load_reference(read_about(name)["model"], folder)
        tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    model.generation_config = transformers.GenerationConfig()
    return Reference(model, tokenizer)


def generate(reference: Reference, ids: list[int], start: list[int] | None, n_new: int, given: list[int] | None) -> Continued:
    """The text continued by transformers, greedily or with the tokens given; start: the first tokens of a decoder."""
    n_begun = len(start or ids)
    settings = transformers.GenerationConfig(
        max_new_tokens=n_new,
        do_sample=False,
        use_cache=True,
        output_logits=True,
        output_attentions=True,
        return_dict_in_generate=True,
        pad_token_id=0,
        decoder_start_token_id=start[0] if start else None,
    )
    text = torch.tensor([ids])
    model = copy.deepcopy(reference.model)
    output = model.generate(
        text,
        attention_mask=torch.ones_like(text),  # else tokens numbered like the padding are left out
        generation_config=settings,
        prefix_allowed_tokens_fn=None if given is None else lambda _, so_far: [given[len(so_far) - n_begun]],
        **({"decoder_input_ids": torch.tensor([start])} if start else {}),
    )
    attentions = (output.decoder_attentions if start else output.attentions)[-1]
    n_key = n_begun + n_new - 1
    attention = np.stack([whole_row(layer[0, :, -1].numpy(), n_key) for layer in attentions])
    return Continued(output.sequences[0, n_begun:].tolist(), torch.cat(output.logits), attention)


def whole_row(rows: NDArray[np.float32], n_key: int) -> NDArray[np.float32]:
    """[head, key] with weight 0 for the keys that a window has let go."""
    return np.pad(rows, ((0, 0), (n_key - rows.shape[1], 0)))


def smallest_gap(logits: torch.Tensor) -> float:
    """The smallest difference between the two largest numbers of a row, [row, vocab]."""
    best = logits.topk(2).values
    return float((best[:, 0] - best[:, 1]).min())


def check(prompt: Prompt, reference: Reference, ids: list[int], start: list[int] | None, continued: Continued) -> None:
    """Stop if a run without a cache gives something else, a choice is not clear, or a token has no spelling."""
    for step, logits in enumerate(continued.logits):
        new = continued.ids[:step]
        output = reference.run(ids + new, None) if start is None else reference.run(ids, start + new)
        far = float((output.logits[0, -1] - logits).abs().max())
        if far > SAME:
            raise SystemExit(f"{prompt.case}: step {step} without a cache is {far:.1e} away")
    rows = torch.cat(output.attentions if start is None else output.decoder_attentions)[:, :, -1].numpy()
    if np.abs(rows - continued.attention).max() > SAME:
        raise SystemExit(f"{prompt.case}: the attention of the last step is another one without a cache")
    if prompt.given is None and continued.gap < CLEAR:
        raise SystemExit(f"{prompt.case}: greedy steps with a lead of {continued.gap:.1e} are not clear; change {prompt.text!r}")
    if max(continued.ids) >= reference.tokenizer.get_vocab_size():
        raise SystemExit(f"{prompt.case}: {continued.ids} are not all known to the tokenizer; change {prompt.text!r}")
    print(f"{prompt.case}: {len(ids)} tokens, then {continued.ids}, gap {continued.gap:.4f}, last step {far:.1e} from uncached")


def write_about(parts: dict[str, Sequence[Case]]) -> None:
    """JSON with one case a line."""
    made_with = {module.__name__: module.__version__ for module in (torch, transformers, tokenizers)}
    lines = [f'  "made_with": {json.dumps(made_with)}', f'  "smallest_gap": {smallest(parts)}']
    for part, cases in parts.items():
        rows = ",\n".join(f"    {json.dumps(plain_fields(case), ensure_ascii=False)}" for case in cases)
        lines.append(f'  "{part}": [\n{rows}\n  ]')
    reader.ABOUT.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def write_numbers(parts: dict[str, Sequence[Case]]) -> None:
    """The arrays of all cases in one NPZ file."""
    arrays = {
        f"{part}.{i}.{name}": reader.to_bytes(value)
        for part, cases in parts.items()
        for i, case in enumerate(cases)
        for name, value in vars(case).items()
        if isinstance(value, np.ndarray)
    }
    write_npz(reader.NUMBERS, arrays)


def plain_fields(case: Case) -> dict[str, Any]:
    """The fields that are no arrays."""
    return {name: value for name, value in vars(case).items() if not isinstance(value, np.ndarray)}


def smallest(parts: dict[str, Sequence[Case]]) -> float:
    """The smallest gap of all greedy steps."""
    greedy = [case for case in parts["causal"] if case.is_greedy]
    return min(case.smallest_gap for case in (*greedy, *parts["translators"]))


def read_back(parts: dict[str, Sequence[Case]]) -> None:
    """Stop if the reader does not give what was computed."""
    read = {"masked": reader.masked_cases(), "causal": reader.causal_cases(), "translators": reader.translator_cases()}
    for part, cases in parts.items():
        for case, again in zip(cases, read[part], strict=True):
            for field in dataclasses.fields(case):
                np.testing.assert_array_equal(getattr(again, field.name), getattr(case, field.name), strict=True)


if __name__ == "__main__":
    main()
