"""A whole BERT model of a few kilobytes, with random weights, written as files; for tests of what a folder may hold."""

from __future__ import annotations

import json
import string
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import BertProcessing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    Tensors = dict[str, NDArray[Any]]

SPECIALS: Final = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
VOCABULARY: Final = (
    *SPECIALS,
    *string.ascii_lowercase,
    *(f"##{c}" for c in string.ascii_lowercase),
    *".,!?'",
    "the",
    "cat",
    "##ing",
)
CONFIG: Final[dict[str, Any]] = {
    "architectures": ["BertModel"],
    "model_type": "bert",
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "hidden_size": 16,
    "intermediate_size": 24,
    "vocab_size": len(VOCABULARY),
    "max_position_embeddings": 32,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
    "hidden_act": "gelu",
}


def write_bert(
    folder: Path,
    config: dict[str, Any] | None = None,
    rename: Callable[[str], str] = str,
    change: Callable[[Tensors], None] = lambda tensors: None,
    seed: int = 0,
) -> Path:
    """The folder, now with config.json, tokenizer.json and model.safetensors.

    config: keys that differ from CONFIG, None to leave one out; rename: from plain names to those in the file;
    change: called with the tensors by their plain names before they are written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    values = {name: value for name, value in {**CONFIG, **(config or {})}.items() if value is not None}
    (folder / "config.json").write_text(json.dumps(values), encoding="utf-8")
    write_tokenizer(folder)
    tensors = random_tensors(seed)
    change(tensors)
    save_file({rename(name): tensor for name, tensor in tensors.items()}, folder / "model.safetensors")
    return folder


def write_tokenizer(folder: Path) -> None:
    """A lower-casing WordPiece tokenizer over VOCABULARY."""
    tokenizer = Tokenizer(WordPiece({token: i for i, token in enumerate(VOCABULARY)}, unk_token="[UNK]"))
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.post_processor = BertProcessing(("[SEP]", VOCABULARY.index("[SEP]")), ("[CLS]", VOCABULARY.index("[CLS]")))
    tokenizer.add_special_tokens(list(SPECIALS))
    tokenizer.save(str(folder / "tokenizer.json"))


def random_tensors(seed: int = 0) -> Tensors:
    """All tensors of a BERT of CONFIG, by the names without a prefix."""
    random = np.random.default_rng(seed)
    d, inner = CONFIG["hidden_size"], CONFIG["intermediate_size"]
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (CONFIG["vocab_size"], d),
        "embeddings.position_embeddings.weight": (CONFIG["max_position_embeddings"], d),
        "embeddings.token_type_embeddings.weight": (CONFIG["type_vocab_size"], d),
    }
    norms = ["embeddings.LayerNorm"]
    for number in range(CONFIG["num_hidden_layers"]):
        at = f"encoder.layer.{number}."
        for part in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
            shapes |= {f"{at}{part}.weight": (d, d), f"{at}{part}.bias": (d,)}
        shapes |= {f"{at}intermediate.dense.weight": (inner, d), f"{at}intermediate.dense.bias": (inner,)}
        shapes |= {f"{at}output.dense.weight": (d, inner), f"{at}output.dense.bias": (d,)}
        norms += [f"{at}attention.output.LayerNorm", f"{at}output.LayerNorm"]
    tensors: Tensors = {name: random.normal(0.0, 0.5, shape).astype(np.float32) for name, shape in shapes.items()}
    for norm in norms:
        tensors[f"{norm}.weight"] = random.uniform(0.5, 1.5, d).astype(np.float32)
        tensors[f"{norm}.bias"] = random.normal(0.0, 0.2, d).astype(np.float32)
    return tensors
