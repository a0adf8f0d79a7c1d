"""A GGUF file under whatever name it lies, with the tokenizer that it describes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gguf
import numpy as np
import pytest

from attnviz import load_model
from attnviz.engine.gguf.summary import read_summary
from attnviz.errors import ModelError
from tests.engine.pipes import pipe
from tests.golden.families_reader import expected, read_about, weights
from tests.golden.gguf_metadata import tokenizer_metadata
from tests.golden.gguf_writer import convert, stored_if_it_fits, write_gguf

if TYPE_CHECKING:
    from pathlib import Path

CASE = "llama-gqa"
BLOB = "sha256-" + "0123456789abcdef" * 4


def write(path: Path, **more: str) -> Path:
    about = read_about(CASE)
    entries = {**tokenizer_metadata(about["tokenizer"]), **{f"general.{key}": value for key, value in more.items()}}
    write_gguf(path, convert(about["config"], weights(CASE)), stored_if_it_fits(gguf.GGMLQuantizationType.F32), entries)
    return path


@pytest.mark.parametrize(
    ("file", "title", "name"),
    [
        ("tiny-llama.Q8_0.gguf", "Tiny Llama", "tiny-llama.Q8_0"),
        (BLOB, "Tiny \n Llama", "Tiny Llama"),
        (BLOB, "", BLOB),
    ],
)
def test_it_goes_by_its_file_name_or_where_that_is_a_checksum_by_its_title(
    tmp_path: Path, file: str, title: str, name: str
) -> None:
    model = load_model(write(tmp_path / file, name=title))
    assert model.name == name


@pytest.mark.parametrize("file", ["model.gguf", "model-00001-of-00002.gguf"])
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path, file: str) -> None:
    with pipe(tmp_path / file, b"GGUF"):
        for read in (load_model, read_summary):
            with pytest.raises(ModelError, match=rf"{file}: not a regular file"):
                read(tmp_path / file)


def test_alone_it_reads_a_text_as_the_reference_does(tmp_path: Path) -> None:
    model = load_model(write(tmp_path / "model.gguf"))
    for wanted in expected(CASE):
        trace = model.trace(wanted.text)
        assert trace.ids == wanted.ids.tolist()
        found = np.stack([trace.attention(layer) for layer in range(trace.n_layer)])
        np.testing.assert_allclose(found, wanted.attention, rtol=0, atol=5e-5)
