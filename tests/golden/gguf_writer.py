"""Golden models as GGUF files, with what llama.cpp's converter does to names, tensors and configuration.

Written from what the converter does (conversion/*.py of llama.cpp), and with the gguf library's own writer, table of names and
quantisation, so that nothing of the reader that is tested takes part.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type

from tests.golden.gguf_keys import keys_of, rope_tensors_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

Arrays = dict[str, "NDArray[Any]"]

# model_type -> architecture, and what goes before a bare checkpoint's names.
ARCHITECTURES: Final = {
    "llama": ("llama", "model."),
    "mistral": ("llama", "model."),
    "mixtral": ("llama", "model."),
    "qwen2": ("qwen2", "model."),
    "qwen3": ("qwen3", "model."),
    "gemma": ("gemma", "model."),
    "gemma2": ("gemma2", "model."),
    "gemma3_text": ("gemma3", "model."),
    "phi3": ("phi3", "model."),
    "olmo2": ("olmo2", "model."),
    "gpt_oss": ("gpt-oss", "model."),
    "gpt2": ("gpt2", "transformer."),
    "gpt_neox": ("gptneox", "gpt_neox."),
    "bloom": ("bloom", ""),
    "bert": ("bert", ""),
    "roberta": ("bert", ""),
    "xlm-roberta": ("bert", ""),
    "distilbert": ("bert", ""),
    "modernbert": ("modern-bert", "model."),
    "t5": ("t5", ""),
}
_DROPPED: Final = re.compile(
    r"^(cls|lm_head\.(dense|layer_norm|decoder|bias)|vocab_\w+|pooler|decoder\.(weight|bias)|head\.norm|classifier|pre_classifier)\b"
)
_STRIPPED: Final = re.compile(r"^(bert|roberta|distilbert)\.")


@dataclass(frozen=True)
class Converted:
    """What goes into a GGUF file."""

    architecture: str
    keys: dict[str, Any]  # without the architecture's name before them
    tensors: Arrays


def convert(config: Mapping[str, Any], tensors: Arrays) -> Converted:
    """The model of a config.json and its checkpoint's tensors, as the converter writes it. Tensors may be of any dtype."""
    kind = config["model_type"]
    name = ARCHITECTURES[kind][0]
    if kind == "t5" and not config.get("is_encoder_decoder", True):
        name = "t5encoder"
    if config.get("use_bidirectional_attention"):
        name = "gemma-embedding"
    architecture = next(arch for arch, known in gguf.MODEL_ARCH_NAMES.items() if known == name)
    names = gguf.get_tensor_name_map(architecture, 8)
    found: Arrays = {}
    for old, tensor in _prepared(config, tensors).items():
        new = names.get_name(old, try_suffixes=(".weight", ".bias"))
        if new is None:
            raise KeyError(f"{kind}: {old}")
        found[new] = tensor
    return Converted(name, keys_of(config), found | rope_tensors_of(config))


def write_gguf(
    path: Path,
    converted: Converted,
    stored_as: Callable[[str, NDArray[Any]], Type],
    extra: Mapping[str, Any],
    stored: Mapping[str, NDArray[np.uint8]] | None = None,
) -> None:
    """Write the file. stored_as: how a tensor is stored; extra: further metadata; stored: tensors whose bytes are given."""
    stored = stored or {}
    writer = gguf.GGUFWriter(path, converted.architecture)
    for key, value in converted.keys.items():
        _add(writer, f"{converted.architecture}.{key}", value)
    for key, value in extra.items():
        _add(writer, key, value)
    for name, tensor in converted.tensors.items():
        kind = Type.MXFP4 if tensor.dtype == np.uint8 else stored_as(name, tensor)
        blocks = stored.get(name)
        if blocks is None:
            blocks = tensor if tensor.dtype == np.uint8 else gguf.quantize(np.ascontiguousarray(tensor), kind)
        writer.add_tensor(name, np.ascontiguousarray(blocks), raw_dtype=kind)
    finish(writer)


def finish(writer: gguf.GGUFWriter) -> None:
    """Write what was added."""
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def stored_if_it_fits(kind: Type) -> Callable[[str, NDArray[Any]], Type]:
    """Matrices in `kind` where their rows are whole blocks, everything else in float32."""
    block = gguf.GGML_QUANT_SIZES[kind][0]
    return lambda name, tensor: kind if tensor.ndim > 1 and tensor.shape[-1] % block == 0 else Type.F32


def _add(writer: gguf.GGUFWriter, key: str, value: Any) -> None:
    match value:
        case bool():
            writer.add_bool(key, value)
        case int():
            writer.add_uint32(key, value)
        case float():
            writer.add_float32(key, value)
        case str():
            writer.add_string(key, value)
        case list():
            writer.add_array(key, value)
        case np.ndarray():
            writer.add_array(key, value.tolist())
        case bytes():
            writer.add_array(key, list(value))
        case _:
            raise TypeError(f"{key}: {type(value).__name__}")


def _prepared(config: Mapping[str, Any], tensors: Arrays) -> Arrays:
    """The tensors under names that the library's table knows, changed as the converter changes them."""
    kind, prefix = config["model_type"], ARCHITECTURES[config["model_type"]][1]
    result: Arrays = {}
    for original, tensor in tensors.items():
        name = _STRIPPED.sub("", original)
        if _DROPPED.search(name) or (kind in ("gemma", "gemma2") and name == "lm_head.weight"):
            continue
        if prefix and not name.startswith((prefix, "lm_head.", "embed_out.", "head.")):
            name = prefix + name
        if kind in ("modernbert", "bloom"):
            name = name.removeprefix("model.").removeprefix("transformer.")
        result |= _changed(config, name, tensor, tensors.get(original.replace("_blocks", "_scales")))
    return _stacked(result)


def _changed(config: Mapping[str, Any], name: str, tensor: NDArray[Any], scales: NDArray[Any] | None) -> Arrays:
    """scales: of a tensor of packed blocks."""
    kind = config["model_type"]
    n_head = config.get("num_attention_heads", config.get("n_head"))
    match = re.search(r"\.([qk])_proj\.(weight|bias)$", name)
    if kind in ("llama", "mistral", "mixtral") and match:
        n = n_head if match[1] == "q" else config.get("num_key_value_heads", n_head)
        tensor = tensor.reshape(n, 2, -1, *tensor.shape[1:]).swapaxes(1, 2).reshape(tensor.shape)
    if kind.startswith("gemma") and name.endswith("norm.weight"):
        tensor = tensor + tensor.dtype.type(1)
    if kind == "gpt2" and re.search(r"\.(c_attn|c_proj|c_fc)\.weight$", name):
        tensor = tensor.T
    if kind in ("gpt_neox", "bloom") and ".query_key_value." in name:
        tensor = tensor.reshape(n_head, 3, -1, *tensor.shape[1:]).swapaxes(0, 1).reshape(tensor.shape)
    if kind in ("roberta", "xlm-roberta") and name == "embeddings.position_embeddings.weight":
        tensor = tensor[config["pad_token_id"] + 1 :]
    if name.endswith("self_attn.sinks"):
        name += ".weight"
    if name.endswith("_scales"):
        return {}
    if name.endswith("_blocks"):
        tensor = _mxfp4(tensor, scales)
        name = name.removesuffix("_blocks")
    if ".mlp.experts." in name:
        return _experts(kind, name, tensor)
    return {name: tensor}


def _experts(kind: str, name: str, tensor: NDArray[Any]) -> Arrays:
    """gpt-oss's alternate gate and up and are [expert, in, out]; Mixtral's of transformers 5 are [expert, gate and up, in]."""
    ending = "bias" if name.endswith("_bias") else "weight"
    at = name.removesuffix("_bias")
    if kind == "gpt_oss" and ending == "weight" and tensor.dtype != np.uint8:
        tensor = tensor.swapaxes(1, 2)
    if at.endswith("down_proj"):
        return {f"{at}.{ending}": tensor}
    half = tensor.shape[1] // 2
    gate, up = (tensor[:, ::2], tensor[:, 1::2]) if kind == "gpt_oss" else (tensor[:, :half], tensor[:, half:])
    stem = at.removesuffix("gate_up_proj")
    return {f"{stem}gate_proj.{ending}": gate, f"{stem}up_proj.{ending}": up}


def _mxfp4(blocks: NDArray[np.uint8], scales: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """[expert, out, block, 16 bytes] and scales -> [expert, out, bytes]: the scale before its block, whose byte i has the numbers
    i and i + 16 where the checkpoint has 2i and 2i + 1."""
    halves = np.stack([blocks & 15, blocks >> 4], axis=-1).reshape(*blocks.shape[:-1], 2, 16)
    packed = halves[..., 0, :] | halves[..., 1, :] << 4
    return np.concatenate([scales[..., None], packed], axis=-1).reshape(*blocks.shape[:2], -1)


def _stacked(tensors: Arrays) -> Arrays:
    """Mixtral's published experts, one tensor each, as one of three dimensions."""
    groups: dict[str, list[NDArray[Any]]] = {}
    rest: Arrays = {}
    for name, tensor in tensors.items():
        match = re.fullmatch(r"model\.(layers\.\d+)\.block_sparse_moe\.experts\.(\d+)\.(w\d)\.weight", name)
        if match is None:
            rest[name] = tensor
        else:
            groups.setdefault(f"{match[1]}.feed_forward.experts.{match[3]}.weight", []).append(tensor)
    return rest | {name: np.stack(group) for name, group in groups.items()}
