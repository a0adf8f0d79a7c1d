"""What a model folder may hold: the ways BERT is stored are equal, everything else is one clear sentence."""

from __future__ import annotations

import json
import pickle
import struct
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordPiece

from attnviz.engine.model import load_model
from attnviz.errors import InputError, ModelError
from tests.engine.tiny_bert import CONFIG, random_tensors, write_bert

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT = "the cat, sing!"


def refusal(path: Path) -> str:
    with pytest.raises(ModelError) as caught:
        load_model(path)
    sentence = str(caught.value)
    assert len(sentence.splitlines()) == 1
    return sentence


def old_norm_names(name: str) -> str:
    if "LayerNorm" not in name:
        return name
    return name.replace(".weight", ".gamma").replace(".bias", ".beta")


@pytest.mark.parametrize(
    "rename",
    [lambda name: "bert." + name, old_norm_names, lambda name: "bert." + old_norm_names(name)],
    ids=["prefixed", "gamma and beta", "both"],
)
def test_all_ways_to_name_the_tensors_give_the_same_run(tmp_path: Path, rename: Callable[[str], str]) -> None:
    plain = load_model(write_bert(tmp_path / "plain")).trace(TEXT, "the")
    other = load_model(write_bert(tmp_path / "other", rename=rename)).trace(TEXT, "the")
    assert np.array_equal(plain.hidden, other.hidden)
    assert np.array_equal(plain.attention(1), other.attention(1))


def test_other_weights_give_another_run(tmp_path: Path) -> None:
    runs = [load_model(write_bert(tmp_path / str(seed), seed=seed)).trace(TEXT) for seed in (0, 1)]
    assert np.abs(runs[0].hidden - runs[1].hidden).max() > 0.1


def test_pooler_and_prediction_heads_do_not_matter(tmp_path: Path) -> None:
    def add(tensors: dict[str, Any]) -> None:
        for name in ("pooler.dense.weight", "cls.predictions.bias", "embeddings.position_ids", "classifier.weight"):
            tensors[name] = np.zeros((2, 2), np.float32)

    plain, dressed = load_model(write_bert(tmp_path / "a")), load_model(write_bert(tmp_path / "b", change=add))
    assert np.array_equal(plain.trace(TEXT).hidden, dressed.trace(TEXT).hidden)


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_half_and_double_precision_are_read_as_float32(tmp_path: Path, dtype: type) -> None:
    def cast(tensors: dict[str, Any]) -> None:
        for name in tensors:
            tensors[name] = tensors[name].astype(np.float16).astype(dtype)

    trace = load_model(write_bert(tmp_path, change=cast)).trace(TEXT)
    assert trace.hidden.dtype == trace.attention(0).dtype == np.float32


@pytest.mark.parametrize("name", sorted(random_tensors()))
def test_each_missing_tensor_is_named(tmp_path: Path, name: str) -> None:
    assert name.removesuffix(".weight") in refusal(write_bert(tmp_path, change=lambda tensors: tensors.pop(name)))


@pytest.mark.parametrize("name", sorted(random_tensors())[::5])
def test_a_wrong_shape_is_named_with_both_shapes(tmp_path: Path, name: str) -> None:
    def widen(tensors: dict[str, Any]) -> None:
        tensors[name] = np.zeros((*tensors[name].shape, 1), np.float32)

    expected = list(random_tensors()[name].shape)
    sentence = refusal(write_bert(tmp_path, change=widen))
    assert "model.safetensors" in sentence
    assert f'"{name}" is {[*expected, 1]}' in sentence
    assert f"{expected};" in sentence


def test_a_tensor_that_bert_does_not_have_is_named(tmp_path: Path) -> None:
    def add(tensors: dict[str, Any]) -> None:
        tensors["encoder.layer.0.attention.self.rotary.weight"] = np.zeros(3, np.float32)

    assert "rotary" in refusal(write_bert(tmp_path, change=add))


def test_more_layers_than_the_config_says_are_refused(tmp_path: Path) -> None:
    assert "encoder.layer.1" in refusal(write_bert(tmp_path, config={"num_hidden_layers": 1}))


def test_integers_are_refused_by_tensor_and_type(tmp_path: Path) -> None:
    def cast(tensors: dict[str, Any]) -> None:
        tensors["embeddings.LayerNorm.weight"] = np.ones(16, np.int8)

    sentence = refusal(write_bert(tmp_path, change=cast))
    assert '"embeddings.LayerNorm.weight"' in sentence
    assert "I8" in sentence


def test_whole_numbers_are_refused_by_tensor_and_type(tmp_path: Path) -> None:
    def cast(tensors: dict[str, Any]) -> None:
        tensors["embeddings.LayerNorm.weight"] = np.full(16, 1, np.uint16)

    write_bert(tmp_path, change=cast)
    sentence = refusal(tmp_path)
    assert '"embeddings.LayerNorm.weight"' in sentence
    assert "U16" in sentence


@pytest.mark.parametrize("left", [0, 1, 7, 8, 9, 100, 5_000, -1])
def test_a_file_that_was_cut_short_is_refused(tmp_path: Path, left: int) -> None:
    file = write_bert(tmp_path) / "model.safetensors"
    file.write_bytes(file.read_bytes()[:left])
    assert "model.safetensors" in refusal(tmp_path)


@pytest.mark.parametrize(
    "content", [b"not a model at all, just some words" * 9, b"\x80\x04K\x01.", b"PK\x03\x04" + bytes(64), bytes(64)]
)
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    (write_bert(tmp_path) / "model.safetensors").write_bytes(content)
    assert "model.safetensors" in refusal(tmp_path)


def split(file: Path) -> tuple[dict[str, Any], bytes]:
    raw = file.read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    return json.loads(raw[8 : 8 + length]), raw[8 + length :]


def join(file: Path, header: dict[str, Any], data: bytes, length: int | None = None) -> None:
    text = json.dumps(header).encode()
    file.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + data)


def lie(kind: str, header: dict[str, Any], data: bytes) -> None:
    names = sorted((name for name in header if name != "__metadata__"), key=lambda name: header[name]["data_offsets"])
    first, second, last = header[names[0]], header[names[1]], header[names[-1]]
    match kind:
        case "beyond the end":
            last["data_offsets"][1] += 1 << 40
        case "negative":
            first["data_offsets"] = [-64, 0]
        case "overlapping":
            second["data_offsets"] = list(first["data_offsets"])
            second["shape"] = list(first["shape"])
        case "backwards":
            first["data_offsets"] = first["data_offsets"][::-1]
        case "a huge shape":
            first["shape"] = [1 << 40, 1 << 20]
        case "an overflowing shape":
            first["shape"] = [1 << 63, 1 << 63]
        case "a negative shape":
            first["shape"] = [-1, 16]
    assert data


@pytest.mark.parametrize(
    "kind",
    ["beyond the end", "negative", "overlapping", "backwards", "a huge shape", "an overflowing shape", "a negative shape"],
)
def test_a_header_that_lies_is_refused_without_taking_memory(tmp_path: Path, kind: str) -> None:
    file = write_bert(tmp_path) / "model.safetensors"
    header, data = split(file)
    lie(kind, header, data)
    join(file, header, data)
    assert "model.safetensors" in refused_cheaply(tmp_path)


@pytest.mark.parametrize("length", [(1 << 63) - 1, (1 << 64) - 1, 1 << 33, 99_999_999])
def test_a_header_length_that_lies_is_refused_without_taking_memory(tmp_path: Path, length: int) -> None:
    file = write_bert(tmp_path) / "model.safetensors"
    join(file, *split(file), length=length)
    assert "model.safetensors" in refused_cheaply(tmp_path)


def refused_cheaply(folder: Path) -> str:
    before = peak_memory()
    tracemalloc.start()
    try:
        sentence = refusal(folder)
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()
    assert peak_memory() - before < 50 << 20
    return sentence


def peak_memory() -> int:
    """The most memory the process ever had, bytes."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class Bomb:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self._mark,)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.pth", "model.ckpt", "model.pkl", "model.pickle"])
def test_a_pickle_is_named_and_never_opened(tmp_path: Path, name: str) -> None:
    mark = tmp_path / "it ran"
    folder = write_bert(tmp_path / "model")
    (folder / "model.safetensors").unlink()
    (folder / name).write_bytes(pickle.dumps(Bomb(mark)))
    assert name in refusal(folder)
    assert name in refusal(folder / name)
    assert not mark.exists()
    pickle.loads((folder / name).read_bytes())  # the trap works
    assert mark.exists()


def test_a_pickle_under_the_name_of_safetensors_is_never_run(tmp_path: Path) -> None:
    mark = tmp_path / "it ran"
    folder = write_bert(tmp_path / "model")
    (folder / "model.safetensors").write_bytes(pickle.dumps(Bomb(mark)))
    assert "model.safetensors" in refusal(folder)
    assert not mark.exists()


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "nowhere" in refusal(tmp_path / "nowhere")
    assert "nowhere" in refusal(tmp_path / ("nowhere" * 200))
    assert "gone.safetensors" in refusal(write_bert(tmp_path) / "gone.safetensors")


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_file_of_the_folder_stands_for_the_folder(tmp_path: Path, name: str) -> None:
    assert load_model(write_bert(tmp_path) / name).path == tmp_path


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    assert "notes.txt" in refusal(tmp_path / "notes.txt")


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_each_missing_file_is_named(tmp_path: Path, name: str) -> None:
    (write_bert(tmp_path) / name).unlink()
    assert name in refusal(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"7", b'"bert"', b"\xff\xfe", b"[" * 100_000, b'{"a": ' + b"9" * 10_000 + b"}", b"null"], ids=repr
)
def test_a_config_that_is_no_json_object_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (write_bert(tmp_path) / "config.json").write_bytes(content)
    sentence = refusal(tmp_path)
    assert "config.json" in sentence
    assert len(sentence) < 500


@pytest.mark.parametrize("family", ["mamba", "", None, 7, ["bert"], "x" * 5_000])
def test_another_family_is_refused_with_those_that_run(tmp_path: Path, family: object) -> None:
    folder = write_bert(tmp_path)
    (folder / "config.json").write_text(json.dumps({**CONFIG, "model_type": family}))
    sentence = refusal(folder)
    assert "config.json" in sentence
    assert "bert" in sentence
    assert len(sentence) < 500


def test_a_tokenizer_of_another_model_is_refused(tmp_path: Path) -> None:
    def cut(tensors: dict[str, Any]) -> None:
        tensors["embeddings.word_embeddings.weight"] = tensors["embeddings.word_embeddings.weight"][:40]

    assert "40" in refusal(write_bert(tmp_path, config={"vocab_size": 40}, change=cut))


def test_token_numbers_beyond_the_vocabulary_are_refused(tmp_path: Path) -> None:
    folder = write_bert(tmp_path)
    content = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    content["model"]["vocab"]["cat"] = 5_000  # as many entries as before, but one points outside
    (folder / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    assert "tokenizer" in refusal(folder)


def test_several_weight_files_without_the_usual_name_are_refused(tmp_path: Path) -> None:
    file = write_bert(tmp_path) / "model.safetensors"
    for number in (1, 2):
        (tmp_path / f"model-0000{number}-of-00002.safetensors").write_bytes(file.read_bytes())
    assert load_model(tmp_path).sha256
    file.unlink()
    assert "2 safetensors files" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("my-model", "my-model"),
        ("openai-community--gpt2", "gpt2"),
        ("hub/models--openai-community--gpt2/snapshots/607a30d783dfa663caf39e06633721c8d4cfcd7e", "gpt2"),
    ],
)
def test_a_model_goes_by_its_own_name_not_its_owners(tmp_path: Path, place: str, name: str) -> None:
    assert load_model(write_bert(tmp_path / place)).name == name


@pytest.mark.parametrize(("beyond", "is_taken"), [(1, True), (16, True), (17, False)])
def test_a_tokenizer_may_have_a_few_tokens_that_the_model_has_no_vector_for(tmp_path: Path, beyond: int, is_taken: bool) -> None:
    folder = write_bert(tmp_path)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    vocabulary = tokenizer.get_vocab()
    n_vocab = json.loads((folder / "config.json").read_text())["vocab_size"]
    words = {**vocabulary, **{f"extra{number}": number for number in range(len(vocabulary), n_vocab + beyond)}}
    tokenizer.model = WordPiece(words, unk_token="[UNK]")
    tokenizer.save(str(folder / "tokenizer.json"))
    if not is_taken:
        with pytest.raises(ModelError, match="do not belong together"):
            load_model(folder)
        return
    model = load_model(folder)
    assert model.trace("the cat").tokens
    with pytest.raises(InputError, match=f'no vector for "extra{n_vocab}"'):
        model.trace(f"the extra{n_vocab}")
