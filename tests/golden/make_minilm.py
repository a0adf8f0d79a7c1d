"""Write the golden data of all-MiniLM-L6-v2: what transformers computes for each text of `tests.golden.cases`.

    python -m tests.golden.make_minilm MODEL_FOLDER tests/golden/minilm

needs torch and transformers; the tests that read the data need neither. The texts go through the model's own
tokenizer.json without padding or truncation, the ids through AutoModel in float32 with eager attention, on the CPU and
on one thread, so that the same packages on the same kind of machine write the same bytes.

One NPZ file for each text, a zip packed with LZMA (`np.load` opens it; 5 % smaller than what NumPy writes):

- `ids`, `type_ids`: int32 [token].
- `attention_planes`: uint8 [4, layer, head, key, query], all layers; the weights as int32 in units of 2^-21, rounded to
  nearest, cut into bytes, lowest first. Planes of like bytes compress to less than half of float32, and with the keys
  outside the queries 2 % better. A weight read back is at most 2.4e-7 from the reference's; the script checks it.
- `hidden_planes`: uint8 [4, token, d_model], the last hidden state in the same way, with the same error.
- `about`: the bytes of a JSON object: `text`, `pair`, `tokens`, `model_sha256` (of model.safetensors) and `made_with`
  (versions of torch, transformers, tokenizers).
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tokenizers
import torch
import transformers

from tests.golden.cases import CASES, N_TOKENS
from tests.golden.reader import STORAGE_ERROR, from_planes, to_planes

if TYPE_CHECKING:
    from numpy.typing import NDArray


def main() -> None:
    """Write one file for each case and print its size."""
    parser = argparse.ArgumentParser(description="Write the golden data of all-MiniLM-L6-v2.")
    parser.add_argument("model", type=Path, help="folder with model.safetensors, config.json and tokenizer.json")
    parser.add_argument("output", type=Path, help="folder to write the .npz files to")
    args = parser.parse_args()

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    model = transformers.AutoModel.from_pretrained(args.model, attn_implementation="eager", dtype=torch.float32).eval()
    tokenizer = tokenizers.Tokenizer.from_file(str(args.model / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    sha256 = hashlib.sha256((args.model / "model.safetensors").read_bytes()).hexdigest()

    args.output.mkdir(parents=True, exist_ok=True)
    for name, (text, pair) in CASES.items():
        path = args.output / f"{name}.npz"
        write_case(path, text, pair, model, tokenizer, sha256, N_TOKENS.get(name))
        print(f"{path.name}: {path.stat().st_size:,} bytes")


def write_case(
    path: Path,
    text: str,
    pair: str | None,
    model: transformers.PreTrainedModel,
    tokenizer: tokenizers.Tokenizer,
    sha256: str,
    n_tokens: int | None,
) -> None:
    """One text through the reference and into `path`. Stops if the text does not give `n_tokens` tokens."""
    encoding = tokenizer.encode(text, pair)
    if n_tokens is not None and len(encoding.ids) != n_tokens:
        raise SystemExit(f"{path.stem}: {len(encoding.ids)} tokens, expected {n_tokens}; change the text in cases.py")
    with torch.no_grad():
        output = model(
            input_ids=torch.tensor([encoding.ids]),
            token_type_ids=torch.tensor([encoding.type_ids]),
            output_attentions=True,
            output_hidden_states=True,
        )
    attention = torch.cat(output.attentions).numpy()  # [layer, head, query, key]
    hidden = output.hidden_states[-1][0].numpy()
    about = {
        "text": text,
        "pair": pair,
        "tokens": encoding.tokens,
        "model_sha256": sha256,
        "made_with": {m.__name__: m.__version__ for m in (torch, transformers, tokenizers)},
    }
    write_npz(
        path,
        {
            "ids": np.array(encoding.ids, dtype=np.int32),
            "type_ids": np.array(encoding.type_ids, dtype=np.int32),
            "attention_planes": checked_planes(attention.swapaxes(-1, -2)),
            "hidden_planes": checked_planes(hidden),
            "about": np.frombuffer(json.dumps(about, ensure_ascii=False).encode(), dtype=np.uint8),
        },
    )


def checked_planes(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The planes to store. Stops if reading them back would be further from `values` than promised."""
    planes = to_planes(values)
    error = float(np.abs(from_planes(planes).astype(np.float64) - values).max())
    if error > STORAGE_ERROR:
        raise SystemExit(f"stored numbers would be {error:.2e} from the reference, allowed is {STORAGE_ERROR:.2e}")
    return planes


def write_npz(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    """The arrays as an NPZ file. ZipInfo's fixed date of 1980 keeps the bytes the same from run to run."""
    with zipfile.ZipFile(path, "w", compression=zipfile.ZIP_LZMA) as archive:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.ascontiguousarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), buffer.getvalue(), compress_type=zipfile.ZIP_LZMA)


if __name__ == "__main__":
    main()
