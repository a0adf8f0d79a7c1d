"""A model that gguf-split has cut into several files is opened by any of them, and only whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gguf
import numpy as np
import pytest

from attnviz.engine.gguf.stored import open_stored
from attnviz.errors import ModelError
from tests.golden.gguf_writer import finish

if TYPE_CHECKING:
    from pathlib import Path


def write_parts(folder: Path, count: int = 3, *, says: int | None = None, n_tensor: int | None = None) -> list[Path]:
    """A model in parts, as gguf-split writes them: metadata in the first, counts in all of them."""
    paths = []
    for number in range(count):
        path = folder / f"a-model-{number + 1:05}-of-{count:05}.gguf"
        writer = gguf.GGUFWriter(path, "llama")
        if number == 0:
            writer.add_uint32("llama.block_count", 7)
        writer.add_uint16("split.no", number)
        writer.add_uint16("split.count", count if says is None else says)
        writer.add_int32("split.tensors.count", count if n_tensor is None else n_tensor)
        writer.add_tensor(f"t{number}", np.full(4, number, np.float32))
        finish(writer)
        paths.append(path)
    return paths


def test_any_part_opens_the_whole(tmp_path: Path) -> None:
    paths = write_parts(tmp_path)
    for path in paths:
        model = open_stored(path)
        assert model.files == tuple(paths)
        assert model.path == paths[0]
        assert model.metadata["llama.block_count"] == 7
        assert [model.tensors[f"t{number}"].rows()[0] for number in range(3)] == [0, 1, 2]


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    paths = write_parts(tmp_path)
    paths[1].unlink()
    with pytest.raises(ModelError, match=r"a-model-00002-of-00003\.gguf is missing"):
        open_stored(paths[0])


def test_a_part_under_another_name_says_how_they_are_called(tmp_path: Path) -> None:
    path = write_parts(tmp_path)[0].rename(tmp_path / "model.gguf")
    with pytest.raises(ModelError, match=r"one of 3 parts .* -00001-of-00003\.gguf"):
        open_stored(path)


def test_parts_of_different_models_are_refused(tmp_path: Path) -> None:
    paths = write_parts(tmp_path)
    paths[2].write_bytes(paths[1].read_bytes())
    with pytest.raises(ModelError, match="not part 3 of 3"):
        open_stored(paths[0])


def test_counts_that_lie_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="one of 60000 parts"):
        open_stored(write_parts(tmp_path, says=60_000)[0])
    with pytest.raises(ModelError, match="do not hold the tensors"):
        open_stored(write_parts(tmp_path, n_tensor=9)[0])


def test_a_split_of_one_is_a_whole_model(tmp_path: Path) -> None:
    (path,) = write_parts(tmp_path, 1)
    path = path.rename(tmp_path / "model.gguf")
    assert open_stored(path).files == (path,)
