"""`python -m tests.benchmarks.large`: a LLaMA-shaped model of 1.1 billion parameters, opened and run in little memory.

The model is made from random numbers in a temporary folder, as bfloat16 safetensors (2.1 GiB) and as a GGUF file of 4-bit blocks
(0.6 GiB), and run in a process of its own whose address space is limited. Prints the time to open, the time to the first attention,
the time of a second text, and the most memory held.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
from safetensors.numpy import save_file

GIB = 1 << 30
TEXT = "The animal didn't cross the street because it was tired."
CONFIG: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 2_048,
    "intermediate_size": 5_632,
    "num_hidden_layers": 22,
    "num_attention_heads": 32,
    "num_key_value_heads": 4,
    "vocab_size": 32_000,
    "max_position_embeddings": 2_048,
    "rms_norm_eps": 1e-5,
    "hidden_act": "silu",
    "tie_word_embeddings": False,
}


def main() -> int:
    """Make the files, measure each, print a row each."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.large", description=__doc__)
    parser.add_argument("--memory", type=float, default=3.0, help="GiB that the process may have (default: 3)")
    parser.add_argument("--format", choices=("safetensors", "gguf"), action="append", help="only this one")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure is not None:
        print(json.dumps(measure_folder(str(options.measure), int(options.memory * GIB))))
        return 0
    print(f"{'file':<14}{'GiB':>6}{'open s':>9}{'attention s':>13}{'second s':>10}{'peak GiB':>10}   in {options.memory:g} GiB")
    for name in options.format or ("safetensors", "gguf"):
        with tempfile.TemporaryDirectory() as folder:
            path = MAKERS[name](Path(folder))
            print(row(name, path, options.memory), flush=True)
    return 0


def row(name: str, path: Path, memory: float) -> str:
    """The figures of one file, measured in a fresh process."""
    size = sum(file.stat().st_size for file in ([path] if path.is_file() else path.glob("*.safetensors")))
    command = [sys.executable, "-m", "tests.benchmarks.large", "--measure", str(path), "--memory", str(memory)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return f"{name:<14}{size / GIB:>6.2f}   failed: {done.stderr.strip().splitlines()[-1]}"
    figures = json.loads(done.stdout)
    return (
        f"{name:<14}{size / GIB:>6.2f}{figures['open']:>9.2f}{figures['attention']:>13.2f}{figures['second']:>10.2f}"
        f"{figures['peak'] / GIB:>10.2f}"
    )


def measure_folder(path: str, limit: int | None) -> dict[str, float]:
    """Seconds and bytes of opening the model at `path` and running two texts, in this process, held to `limit` bytes."""
    import resource
    from time import perf_counter

    from attnviz.engine.model import load_model
    from attnviz.session.run import Runner
    from tests.benchmarks.peers.once import peak

    Runner()  # sets the threads as the program does
    if limit is not None:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    started = perf_counter()
    model = load_model(path)
    opened = perf_counter()
    first = model.trace(TEXT)
    assert np.isfinite(first.attention(first.n_layer - 1)).all()
    attended = perf_counter()
    model.trace(TEXT + " It slept.")
    again = perf_counter()
    return {
        "open": opened - started,
        "attention": attended - opened,
        "second": again - attended,
        "peak": peak(),
    }


def shapes() -> dict[str, tuple[int, ...]]:
    """The tensors of the model under their Hugging Face names."""
    d, d_ff, kv = CONFIG["hidden_size"], CONFIG["intermediate_size"], 64 * CONFIG["num_key_value_heads"]
    tensors: dict[str, tuple[int, ...]] = {
        "model.embed_tokens.weight": (CONFIG["vocab_size"], d),
        "model.norm.weight": (d,),
        "lm_head.weight": (CONFIG["vocab_size"], d),
    }
    for layer in range(CONFIG["num_hidden_layers"]):
        at = f"model.layers.{layer}."
        tensors |= {
            at + "self_attn.q_proj.weight": (d, d),
            at + "self_attn.k_proj.weight": (kv, d),
            at + "self_attn.v_proj.weight": (kv, d),
            at + "self_attn.o_proj.weight": (d, d),
            at + "mlp.gate_proj.weight": (d_ff, d),
            at + "mlp.up_proj.weight": (d_ff, d),
            at + "mlp.down_proj.weight": (d, d_ff),
            at + "input_layernorm.weight": (d,),
            at + "post_attention_layernorm.weight": (d,),
        }
    return tensors


def vocabulary() -> list[str]:
    """As many pieces as the model has: the bytes, the letters, and numbered ones."""
    pieces = [
        "<unk>",
        "<s>",
        "</s>",
        *(f"<0x{byte:02X}>" for byte in range(256)),
        *map(chr, range(33, 127)),
        "\N{LOWER ONE EIGHTH BLOCK}",
    ]
    return pieces + [f"piece{number}" for number in range(CONFIG["vocab_size"] - len(pieces))]


def make_safetensors(folder: Path) -> Path:
    """A Hugging Face folder with bfloat16 weights."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    random = np.random.default_rng(0)
    tensors = {
        name: np.ones(shape, ml_dtypes.bfloat16)
        if len(shape) == 1
        else (random.standard_normal(shape, np.float32) * np.float32(0.03)).astype(ml_dtypes.bfloat16)
        for name, shape in shapes().items()
    }
    save_file(tensors, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(CONFIG))
    tokenizer = Tokenizer(models.BPE({piece: i for i, piece in enumerate(vocabulary())}, [], byte_fallback=True, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def make_gguf(folder: Path) -> Path:
    """A GGUF file whose matrices are 4-bit blocks."""
    import gguf

    random = np.random.default_rng(0)
    path = folder / "large.Q4_0.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("large")
    writer.add_block_count(CONFIG["num_hidden_layers"])
    writer.add_context_length(CONFIG["max_position_embeddings"])
    writer.add_embedding_length(CONFIG["hidden_size"])
    writer.add_feed_forward_length(CONFIG["intermediate_size"])
    writer.add_head_count(CONFIG["num_attention_heads"])
    writer.add_head_count_kv(CONFIG["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(CONFIG["rms_norm_eps"])
    writer.add_rope_dimension_count(64)
    writer.add_vocab_size(CONFIG["vocab_size"])
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_0)
    pieces = vocabulary()
    kinds = [2, 3, 3] + [6] * 256 + [1] * (len(pieces) - 259)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(pieces)
    writer.add_token_scores([0.0 if kind != 1 else -float(number) for number, kind in enumerate(kinds)])
    writer.add_token_types(kinds)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, CONFIG["num_hidden_layers"])
    for name, shape in shapes().items():
        target = names.get_name(name, try_suffixes=(".weight",))
        if len(shape) == 1:
            writer.add_tensor(target, np.ones(shape, np.float32))
            continue
        blocks = random.integers(0, 256, (shape[0], shape[1] // 32, 18), dtype=np.uint8)
        blocks[..., :2] = np.array([0.005], np.float16).view(np.uint8)  # each block's scale
        writer.add_tensor(target, blocks.reshape(shape[0], -1), raw_dtype=gguf.GGMLQuantizationType.Q4_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


MAKERS = {"safetensors": make_safetensors, "gguf": make_gguf}

if __name__ == "__main__":
    raise SystemExit(main())
