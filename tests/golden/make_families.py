"""Write the golden data of the model families: tiny models and what transformers computes with them.

    python -m tests.golden.make_families [PATTERN ...]

needs torch and transformers; the tests that read the data need neither. PATTERN (as in "llama-*") limits the cases. The
models are the rows of `families_cases`. For each row the script

1. builds the model from its configuration class, has transformers save it, and keeps config.json and the names and
   shapes in model.safetensors as they were written;
2. gives each tensor a range (`families_ranges`) and throws the values away: they come from a seed;
3. has `families_reader.write_model` write the folder, and transformers load it again - it must miss nothing and leave
   nothing over - in float32 with eager attention, on the CPU;
4. runs each text, alone, and keeps attention, last hidden state and the logits of the last two tokens;
5. checks that attention is far from even and from one-hot, and that each change in the row's `matters` shows.

`families/<case>.json` has `model` (class), `notes`, `tokenizer`, `texts`, `config`, `tensors` (name -> shape, low, high,
dtype if not float32) and `made_with`; or, for another spelling of a configuration, `same_as` and `config`.
`families/<case>.npz` is a zip packed with LZMA; its arrays are called `<text number>.<field of Expected>`: token numbers
as int32, the rest as the four planes of bytes that `reader.to_planes` makes.
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
import fnmatch
import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import tokenizers
import torch
import transformers
from safetensors import safe_open

from tests.golden import families_reader as reader
from tests.golden.families_cases import ROWS, SPELLINGS
from tests.golden.families_ranges import range_of
from tests.golden.families_row import Row, Spelling
from tests.golden.families_tokenizers import TOKENIZERS
from tests.golden.make_minilm import checked_planes, write_npz

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_LOGITS: Final = 2  # last tokens of a text whose logits are kept
VISIBLE: Final = 1e-3  # a change of a number that counts as one


def main() -> None:
    """Write the missing tokenizers and the cases asked for."""
    parser = argparse.ArgumentParser(description="Write the golden data of the model families.")
    parser.add_argument("patterns", nargs="*", default=["*"], metavar="PATTERN")
    patterns = parser.parse_args().patterns
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    write_missing_tokenizers()
    for row in ROWS:
        if any(fnmatch.fnmatch(row.name, pattern) for pattern in patterns):
            write_row(row)
    for spelling in SPELLINGS:
        if any(fnmatch.fnmatch(spelling.name, pattern) for pattern in patterns):
            write_spelling(spelling)


def write_missing_tokenizers() -> None:
    """Train the tokenizers that have no file yet."""
    reader.TOKENIZERS.mkdir(exist_ok=True)
    for name, make in TOKENIZERS.items():
        path = reader.TOKENIZERS / f"{name}.json"
        if not path.exists():
            make().save(str(path), pretty=False)


def write_row(row: Row) -> None:
    """Both files of a case. Stops if a check fails."""
    with tempfile.TemporaryDirectory() as temporary:
        saved = Path(temporary) / "saved"
        config, shapes = save_untrained(row, saved)
        about = {
            "model": row.model,
            "notes": row.notes,
            "tokenizer": row.tokenizer,
            "texts": row.texts,
            "config": config,
            "tensors": {name: [shape, *range_of(row, name, shape)] for name, shape in shapes.items()},
            "made_with": {m.__name__: m.__version__ for m in (torch, transformers, tokenizers)},
        }
        write_about(row.name, about)
        folder = reader.write_model(row.name, Path(temporary) / "model")
        model = load_reference(row.model, folder)
        results = [run(model, folder, text, pair) for text, pair in row.texts]
        even, peak = sharpness(row, results)
        for change in row.matters:
            check_that_it_matters(row, change, folder, results)
    arrays: dict[str, NDArray[Any]] = {}
    for i, result in enumerate(results):
        for name, array in result.items():
            arrays[f"{i}.{name}"] = array.astype(np.int32) if array.dtype == np.int64 else checked_planes(array)
    path = reader.FAMILIES / f"{row.name}.npz"
    write_npz(path, arrays)
    read_back(row, results)
    largest = max(float(np.abs(r["hidden"]).max()) for r in results)
    lengths = [len(r["ids"]) for r in results]
    print(
        f"{row.name}: {path.stat().st_size:,} bytes, tokens {lengths}, peak {peak:.2f} = {even:.1f} x even, hidden <= {largest:.1f}"
    )


def write_spelling(spelling: Spelling) -> None:
    """The JSON file of another spelling. Stops if transformers reads another model from it."""
    config = reader.read_about(spelling.of)["config"]
    config = {key: value for key, value in config.items() if key not in spelling.drop} | spelling.put
    write_about(spelling.name, {"same_as": spelling.of, "notes": spelling.notes, "config": config})
    with tempfile.TemporaryDirectory() as temporary:
        folder = reader.write_model(spelling.name, Path(temporary))
        model = load_reference(reader.read_about(spelling.of)["model"], folder)
        worst = 0.0
        for wanted in reader.expected(spelling.of):
            result = run(model, folder, wanted.text, wanted.pair)
            worst = max(worst, *(float(np.abs(result[name] - getattr(wanted, name)).max(initial=0)) for name in result))
    if worst > 2e-6:
        raise SystemExit(f"{spelling.name}: transformers reads another model than {spelling.of}, {worst:.1e} away")
    print(f"{spelling.name}: same as {spelling.of}, within {worst:.1e}")


def save_untrained(row: Row, folder: Path) -> tuple[dict[str, Any], dict[str, list[int]]]:
    """config.json and the shapes in model.safetensors, as transformers writes them."""
    cls = getattr(transformers, row.model)
    torch.manual_seed(0)
    model = cls(cls.config_class(**row.config))
    model.save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    with safe_open(folder / "model.safetensors", "np") as file:
        shapes = {name: file.get_slice(name).get_shape() for name in sorted(file.keys())}
    if "quantization_config" in config:
        shapes = packed(shapes)
    n_pieces = tokenizers.Tokenizer.from_file(str(reader.TOKENIZERS / f"{row.tokenizer}.json")).get_vocab_size()
    n_vocab = model.config.get_text_config().vocab_size
    if n_pieces > n_vocab:
        raise SystemExit(f"{row.name}: the tokenizer has {n_pieces} pieces, the model {n_vocab}")
    return config, shapes


def packed(shapes: dict[str, list[int]]) -> dict[str, list[int]]:
    """The shapes with gpt-oss's experts, [expert, in, out], in MXFP4: blocks of 32 numbers along `in`, each with a scale."""
    stored: dict[str, list[int]] = {}
    for name, shape in shapes.items():
        if name.endswith((".experts.gate_up_proj", ".experts.down_proj")):
            n, d_in, d_out = shape
            stored[f"{name}_blocks"] = [n, d_out, d_in // 32, 16]
            stored[f"{name}_scales"] = [n, d_out, d_in // 32]
        else:
            stored[name] = shape
    return stored


def load_reference(model_class: str, folder: Path) -> transformers.PreTrainedModel:
    """The model in the folder, in float32 with eager attention. Stops if tensors are missing or left over."""
    cls = getattr(transformers, model_class)
    model, info = cls.from_pretrained(
        folder, attn_implementation="eager", experts_implementation="eager", dtype=torch.float32, output_loading_info=True
    )
    wrong = {key: value for key, value in info.items() if value}
    if wrong:
        raise SystemExit(f"{folder}: transformers reports {wrong}")
    if model.config._attn_implementation != "eager":
        raise SystemExit(f"{folder}: attention is {model.config._attn_implementation}, not eager")
    return model.eval()


def run(model: transformers.PreTrainedModel, folder: Path, text: str, pair: str | None) -> dict[str, NDArray[Any]]:
    """One text through the reference: arrays by the field names of `reader.Expected`."""
    model = copy.deepcopy(model)  # dynamic rope remembers the longest text that it has met
    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    translates = bool(model.config.is_encoder_decoder)
    encoding = tokenizer.encode(text) if translates else tokenizer.encode(text, pair)
    inputs: dict[str, Any] = {"input_ids": torch.tensor([encoding.ids])}
    kept: dict[str, Any] = {"ids": np.array(encoding.ids), "type_ids": np.array(encoding.type_ids)}
    if getattr(model.config, "type_vocab_size", 0) > 1:
        inputs["token_type_ids"] = torch.tensor([encoding.type_ids])
    if translates:
        # Labels are the pair with its special tokens; the decoder sees them shifted right, without the last.
        start = model.config.decoder_start_token_id
        kept["decoder_ids"] = np.array([start, *tokenizer.encode(pair or "").ids[:-1]])
        inputs["decoder_input_ids"] = torch.from_numpy(kept["decoder_ids"])[None]
    if "use_cache" in model.config.to_dict():
        inputs["use_cache"] = False
    last: list[torch.Tensor] = []
    last_stack = getattr(model.base_model, "decoder", model.base_model)  # OPT calls its decoder past the base model, too
    hook = last_stack.register_forward_hook(lambda _module, _inputs, output: last.append(output.last_hidden_state))
    with torch.no_grad():
        output = model(**inputs, output_attentions=True)
    hook.remove()
    kept["hidden"] = last[0][0].numpy()
    if translates:
        kept["attention"] = stacked(output.encoder_attentions)
        kept["decoder_attention"] = stacked(output.decoder_attentions)
        kept["cross_attention"] = stacked(output.cross_attentions)
        kept["encoder_hidden"] = output.encoder_last_hidden_state[0].numpy()
    else:
        kept["attention"] = stacked(output.attentions)
    n_rows = 0
    if "logits" in output and output.logits.shape[-1] == model.config.get_text_config().vocab_size:
        logits = output.logits[0, -N_LOGITS:].numpy()
        n_rows = len(logits)
        kept["logits"] = logits
    n_tokens = len(kept["hidden"])
    kept["logits_rows"] = np.arange(n_tokens - n_rows, n_tokens)
    return kept


def stacked(attentions: tuple[torch.Tensor, ...]) -> NDArray[np.float32]:
    """[layer, head, query, key] of one text."""
    return torch.cat(attentions).numpy()


def sharpness(row: Row, results: list[dict[str, NDArray[Any]]]) -> tuple[float, float]:
    """How far attention is from even (1) and its mean largest weight. Stops if it is close to even or to one-hot.

    Only queries that see 4 keys and more count.
    """
    ratios, peaks = [], []
    for result in results:
        for name in result:
            if "attention" not in name:
                continue
            seen = (result[name] > 0).sum(-1)
            peak = result[name].max(-1)
            ratios.append((peak * seen)[seen >= 4])
            peaks.append(peak[seen >= 4])
    even, peak = float(np.concatenate(ratios).mean()), float(np.concatenate(peaks).mean())
    if even < 2.0 or peak > 0.9:
        raise SystemExit(f"{row.name}: the largest weight is {even:.2f} x even, {peak:.2f} in the mean; change the row's gain")
    return even, peak


def check_that_it_matters(row: Row, change: dict[str, Any], folder: Path, results: list[dict[str, NDArray[Any]]]) -> None:
    """Stop if the model computes the same with the configuration changed."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8")) | change
    changed = folder.with_name("changed")
    shutil.copytree(folder, changed, dirs_exist_ok=True)
    (changed / "config.json").write_text(json.dumps(config), encoding="utf-8")
    model = load_reference(row.model, changed)
    others = [run(model, changed, text, pair) for text, pair in row.texts]
    names = [name for name in results[0] if results[0][name].dtype == np.float32]
    far = max(float(np.abs(a[name] - b[name]).max()) for a, b in zip(results, others, strict=True) for name in names)
    if far < VISIBLE:
        raise SystemExit(f"{row.name}: {change} changes nothing by more than {far:.1e}")


def read_back(row: Row, results: list[dict[str, NDArray[Any]]]) -> None:
    """Stop if the reader does not give what was computed."""
    for result, wanted in zip(results, reader.expected(row.name), strict=True):
        fields = {field.name: getattr(wanted, field.name) for field in dataclasses.fields(wanted)}
        for name in fields:
            if name not in ("text", "pair") and fields[name] is not None:
                np.testing.assert_allclose(fields[name], result[name], rtol=0, atol=5e-7)


def write_about(case: str, about: dict[str, Any]) -> None:
    """JSON with one tensor a line."""
    about = {key: value for key, value in about.items() if value != ""}
    tensors = about.pop("tensors", None)
    lines = [f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in about.items()]
    if tensors is not None:
        rows = ",\n".join(f"    {json.dumps(name)}: {json.dumps(rest)}" for name, rest in tensors.items())
        lines.append(f'  "tensors": {{\n{rows}\n  }}')
    reader.FAMILIES.mkdir(exist_ok=True)
    (reader.FAMILIES / f"{case}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
