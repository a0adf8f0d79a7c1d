"""Golden data of the model families: tiny models whose weights come from a seed, and what transformers made of them.

A case is `families/<case>.json` (configuration, tensors, tokenizer, texts) and `families/<case>.npz` (what transformers
computed). No weights are stored: `write_model` makes them again, the same to the last bit, and writes a whole model
folder. `make_families` describes both files. Nothing here needs torch or transformers.

    folder = write_model("llama-gqa", tmp_path)
    for wanted in expected("llama-gqa"):
        trace = load_model(folder).trace(wanted.text, wanted.pair)
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from safetensors.numpy import save_file

from tests.golden.reader import from_planes

if TYPE_CHECKING:
    from numpy.typing import NDArray

FAMILIES: Final = Path(__file__).parent / "families"
TOKENIZERS: Final = Path(__file__).parent / "tokenizers"
CASES: Final[tuple[str, ...]] = tuple(sorted(path.stem for path in FAMILIES.glob("*.json")))


@dataclass(frozen=True)
class Expected:
    """One text, and what the reference implementation made of it.

    All numbers are within 2^-22 of the reference's (`reader.STORAGE_ERROR`). For an encoder-decoder `ids` and `attention`
    are the encoder's, `hidden` and `logits` the decoder's.
    """

    text: str
    pair: str | None  # the second text of a pair; for an encoder-decoder the decoder's text
    ids: NDArray[np.int64]
    type_ids: NDArray[np.int64]  # as the tokenizer gives them; only BERT-like models read them
    attention: NDArray[np.float32]  # [layer, head, query, key]; a row sums to 1, less the sink's share in gpt_oss
    hidden: NDArray[np.float32]  # [token, d_model], the base model's last_hidden_state
    logits: NDArray[np.float32] | None  # [row, vocab], only the tokens of `logits_rows`; None: the model has no LM head
    logits_rows: NDArray[np.int64]  # tokens that the rows of `logits` belong to
    decoder_ids: NDArray[np.int64] | None = None
    decoder_attention: NDArray[np.float32] | None = None  # [layer, head, query, key]
    cross_attention: NDArray[np.float32] | None = None  # [layer, head, decoder query, encoder key]
    encoder_hidden: NDArray[np.float32] | None = None  # [encoder token, d_model]


def read_about(case: str) -> dict[str, Any]:
    """The case's JSON: `config`, `tensors`, `tokenizer`, `texts`, `model` (class), `notes`, `made_with`.

    A case that is another spelling of one (`same_as`) has that one's tensors and texts.
    """
    about = json.loads((FAMILIES / f"{case}.json").read_text(encoding="utf-8"))
    return {**read_about(about["same_as"]), **about} if "same_as" in about else {"seed": case, **about}


def write_model(case: str, folder: Path, dtype: str = "float32", shards: int = 1) -> Path:
    """Write config.json, tokenizer.json and the weights into `folder`, made if missing; returns it.

    dtype: a NumPy name or one of ml_dtypes' ("bfloat16"); float32 weights are rounded to it, integers stay.
    shards: more than 1 writes model-0000i-of-0000n.safetensors and an index.
    """
    about = read_about(case)
    config = dict(about["config"])
    for key in ("dtype", "torch_dtype"):
        if key in config:
            config[key] = dtype
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    shutil.copyfile(TOKENIZERS / f"{about['tokenizer']}.json", folder / "tokenizer.json")
    write_weights({name: as_stored(tensor, dtype) for name, tensor in weights(case).items()}, folder, shards)
    return folder


def weights(case: str) -> dict[str, NDArray[Any]]:
    """The tensors that `write_model` writes, by name: float32, but for packed ones (uint8)."""
    about = read_about(case)
    return {name: seeded_tensor(about["seed"], name, *rest) for name, rest in about["tensors"].items()}


def write_weights(tensors: dict[str, NDArray[Any]], folder: Path, shards: int = 1) -> None:
    """Write model.safetensors, or so many shards of it, with the names dealt out in turn."""
    if shards == 1:
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
        return
    names = list(tensors)
    file_of = {name: f"model-{i % shards + 1:05}-of-{shards:05}.safetensors" for i, name in enumerate(names)}
    for file in sorted(set(file_of.values())):
        save_file({name: tensors[name] for name in names if file_of[name] == file}, folder / file, metadata={"format": "pt"})
    index = {"metadata": {"total_size": sum(t.nbytes for t in tensors.values())}, "weight_map": file_of}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")


def seeded_tensor(
    case: str, name: str, shape: tuple[int, ...] | list[int], low: float, high: float, dtype: str = "float32"
) -> NDArray[Any]:
    """Numbers between `low` and `high`, evenly spread: float32, or with dtype "uint8" integers below `high`.

    Made from the raw bits of PCG64, which NumPy promises not to change (its distributions may), by operations that
    IEEE 754 rounds in one way only. The seed is the SHA-256 of the two names.
    """
    seed = int.from_bytes(hashlib.sha256(f"{case}\n{name}".encode()).digest(), "big")
    raw = np.random.PCG64(seed).random_raw(int(np.prod(shape, dtype=np.int64)))
    if dtype == "uint8":
        return (np.uint64(low) + (raw >> np.uint64(32)) % np.uint64(high - low)).astype(np.uint8).reshape(shape)
    unit = (raw >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-24)  # [0, 1)
    return (np.float32(low) + unit * np.float32(high - low)).reshape(shape)


def expected(case: str) -> list[Expected]:
    """What transformers computed for each text of the case."""
    about = read_about(case)
    with np.load(FAMILIES / f"{about.get('same_as', case)}.npz", allow_pickle=False) as file:
        arrays = {key: file[key] for key in file.files}
    return [
        Expected(
            text=text,
            pair=pair,
            **{key.split(".")[1]: _decoded(array) for key, array in arrays.items() if key.startswith(f"{i}.")},
            **({} if f"{i}.logits" in arrays else {"logits": None}),
        )
        for i, (text, pair) in enumerate(about["texts"])
    ]


def _decoded(array: NDArray[Any]) -> NDArray[Any]:
    """Planes of bytes as float32, token numbers as int64."""
    return from_planes(array) if array.dtype == np.uint8 else array.astype(np.int64)


def as_stored(tensor: NDArray[Any], dtype: str) -> NDArray[Any]:
    """A tensor's numbers as a file of that dtype holds them; integers stay."""
    if tensor.dtype != np.float32 or dtype == "float32":
        return tensor
    if dtype in ("float16", "float64"):
        return tensor.astype(dtype)
    import ml_dtypes  # not among NumPy's own types

    return tensor.astype(getattr(ml_dtypes, dtype))
