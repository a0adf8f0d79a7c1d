"""What is read out of names and answers, without a network: repositories, variants, licences, sizes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnviz.engine.files import INDEX
from attnviz.errors import DownloadError
from attnviz.library.gguf_names import group_gguf, variant_names
from attnviz.library.offer import HubFile, Offer, licence_of, read_choices
from attnviz.library.repository_name import is_repository, read_repository
from attnviz.library.sizes import file_size

NEEDED = ("config.json", "tokenizer.json")


def choices(*names: str, **sizes: int) -> dict[str, list[str]]:
    """The names of the files of each form of the model that a repository of these files offers."""
    files = [HubFile(name, sizes.get(name, 10)) for name in names]
    return {choice.name: [file.name for file in choice.files] for choice in read_choices("a/b", files)}


def refused(*names: str) -> str:
    with pytest.raises(DownloadError) as caught:
        choices(*names)
    assert str(caught.value).startswith("a/b: ")
    return str(caught.value)


# The repository that is meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("openai-community/gpt2", "openai-community/gpt2"),
        ("  openai-community/gpt2\n", "openai-community/gpt2"),
        ("gpt2", "gpt2"),
        ("a_b/c.d-e_1", "a_b/c.d-e_1"),
        ("https://huggingface.co/google/gemma-2-2b", "google/gemma-2-2b"),
        ("https://huggingface.co/google/gemma-2-2b/", "google/gemma-2-2b"),
        ("http://www.huggingface.co/google/gemma-2-2b?library=x#card", "google/gemma-2-2b"),
        ("https://huggingface.co/google/gemma-2-2b/tree/main", "google/gemma-2-2b"),
        ("https://huggingface.co/a/b/blob/main/deep/b.Q4_K_M.gguf", "a/b"),
        ("huggingface.co/a/b", "a/b"),
        ("hf.co/a/b", "a/b"),
        ("HTTPS://HuggingFace.co/a/b", "a/b"),
    ],
)
def test_a_name_or_an_address_is_understood(typed: str, meant: str) -> None:
    assert read_repository(typed) == meant


@pytest.mark.parametrize(
    "typed",
    [
        *(
            "",
            "   ",
            "/",
            "a/",
            "/b",
            "a/b/c",
            "../../x",
            "..",
            ".",
            "a/..",
            "a/.b",
            "a/b.",
            "-a/b",
            "a--b/c",
            "a/b..c",
            "a b/c",
            "a/b c",
        ),
        *("C:\\models\\x", "~/x", "/etc/passwd", "a/b\x00", "a/b\nc", "naïve/模型", "a" * 97, "x" * 10_000, "a/b?x=1", "a/b@main"),
        *("https://huggingface.co", "https://huggingface.co/", "https://huggingface.co/a/%2e%2e", "https://example.org/a/b"),
        *("file:///etc/passwd", "ftp://huggingface.co/a/b", "https://huggingface.co.example.org/a/b", "https://me@example.org/a/b"),
    ],
)
def test_what_names_no_repository_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(DownloadError) as caught:
        read_repository(typed)
    assert "openai-community/gpt2" in str(caught.value)
    assert len(str(caught.value)) < 250
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("typed", "kind"),
    [
        ("https://huggingface.co/datasets/a/b", "a data set"),
        ("https://huggingface.co/spaces/a/b", "a Space"),
        ("datasets/a", "a data set"),
    ],
)
def test_what_is_no_model_is_called_by_its_kind(typed: str, kind: str) -> None:
    with pytest.raises(DownloadError, match=kind):
        read_repository(typed)


@given(st.text())
def test_whatever_is_typed_is_a_safe_name_or_refused(typed: str) -> None:
    try:
        name = read_repository(typed)
    except DownloadError:
        return
    assert is_repository(name)
    assert not set(name) & set('\\:*?"<>| \x00\n')
    assert name.count("/") <= 1
    assert not any(part.startswith((".", "-")) for part in name.split("/"))


# The files that are taken


def test_needed_files_and_small_ones_are_taken_and_nothing_else() -> None:
    small = ("generation_config.json", "special_tokens_map.json", "tokenizer_config.json")
    others = (
        "pytorch_model.bin",
        "tf_model.h5",
        "model.onnx",
        "onnx/model.onnx",
        "a.py",
        "vocab.txt",
        "x/model.safetensors",
        "README.md",
    )
    (found,) = choices(*NEEDED, *small, *others, "model.safetensors").values()
    assert sorted(found) == sorted([*NEEDED, *small, "model.safetensors"])


@pytest.mark.parametrize(
    ("weights", "taken"),
    [
        (["model.safetensors"], ["model.safetensors"]),
        (["weights.safetensors"], ["weights.safetensors"]),
        (["model.safetensors", "model.fp16.safetensors"], ["model.safetensors"]),
        (
            ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", INDEX, "consolidated.safetensors"],
            [INDEX, "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"],
        ),
        (["model-00001-of-00001.safetensors", INDEX, "model.safetensors"], ["model.safetensors"]),
    ],
)
def test_one_set_of_weights_is_taken(weights: list[str], taken: list[str]) -> None:
    assert choices(*NEEDED, *weights) == {"safetensors": [*NEEDED, *taken]}


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([*NEEDED], "has no weights in safetensors or GGUF"),
        ([], "has no weights in safetensors or GGUF"),
        ([*NEEDED, "pytorch_model.bin"], "has only pickle weights (pytorch_model.bin), which can run code"),
        ([*NEEDED, "pytorch_model-00001-of-00002.bin", "x.pt"], "has only pickle weights"),
        (["model.safetensors", "tokenizer.json"], "has weights and no config.json"),
        (["adapter_config.json", "adapter_model.safetensors"], "has weights and no config.json"),
        (["config.json", "model.safetensors"], "has no tokenizer.json"),
        (
            ["config.json", "model.safetensors", "vocab.txt"],
            "has only the slow tokenizer's files (vocab.txt) and no tokenizer.json",
        ),
        (["config.json", "model.safetensors", "spiece.model"], "the slow tokenizer's files (spiece.model)"),
        ([*NEEDED, "a.safetensors", "b.safetensors"], "not one model's"),
        ([*NEEDED, "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"], "not one model's"),
        ([*NEEDED, "model-00001-of-00002.safetensors", INDEX], "has 1 of 2 files of its weights"),
        (["unet/model.safetensors", "model_index.json"], "not one model's"),
        (["mmproj-F16.gguf"], "not a whole language model"),
        (["x-00001-of-00003.gguf", "x-00002-of-00003.gguf"], "not a whole language model"),
    ],
)
def test_what_is_missing_is_said_in_one_sentence(names: list[str], said: str) -> None:
    assert said in refused(*names)


@pytest.mark.parametrize(
    "name", ["../../x.gguf", "/etc/x.gguf", "a/../x.gguf", "a\\b.gguf", ".hidden.gguf", "c:x.gguf", "a\nb.gguf", ""]
)
def test_a_file_whose_name_leads_elsewhere_is_not_offered(name: str) -> None:
    assert choices(name, "good.gguf") == {"good": ["good.gguf"]}


# Variants


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("tinyllama-1.1b-chat-v1.0.Q4_K_M.gguf", "Q4_K_M"),
        ("Llama-3.2-1B-Instruct-Q8_0.gguf", "Q8_0"),
        ("Llama-3.2-1B-Instruct-IQ3_XXS.gguf", "IQ3_XXS"),
        ("Llama-3.2-1B-Instruct-f16.gguf", "F16"),
        ("gpt-oss-20b-mxfp4.gguf", "MXFP4"),
        ("Qwen3-4B-UD-Q4_K_XL.gguf", "UD-Q4_K_XL"),
        ("BF16/gemma-BF16-00001-of-00001.gguf", "BF16"),
        ("q4_0-gemma.gguf", "Q4_0"),
        ("ggml-model.gguf", "ggml-model"),
    ],
)
def test_a_variant_is_called_by_how_its_numbers_are_stored(file: str, name: str) -> None:
    assert variant_names(group_gguf({file: 1})) == [name]


def test_variants_that_would_share_a_name_go_by_their_files() -> None:
    groups = group_gguf({"base-Q4_0.gguf": 1, "chat-Q4_0.gguf": 1, "a/x.gguf": 1, "b/x.gguf": 1, "chat-Q8_0.gguf": 1})
    assert set(variant_names(groups)) == {"base-Q4_0", "chat-Q4_0", "a/x", "b/x", "Q8_0"}


def test_parts_count_once_with_the_sum_of_their_sizes() -> None:
    (group,) = group_gguf({f"x-Q4_0-{number:05}-of-00003.gguf": number for number in (1, 2, 3)})
    assert (group.first, len(group.names), group.n_bytes, group.is_whole) == ("x-Q4_0-00001-of-00003.gguf", 3, 6, True)


def test_a_part_without_the_first_is_no_model() -> None:
    assert group_gguf({"x-00002-of-00003.gguf": 1}) == []


@given(st.sets(st.from_regex(r"([ab]/)?[abQF_\-.0-9]{1,12}\.gguf", fullmatch=True), max_size=8))
def test_no_two_variants_share_a_name(names: set[str]) -> None:
    groups = group_gguf(dict.fromkeys(names, 1))
    found = variant_names(groups)
    assert len(set(found)) == len(found) == len(groups)


def test_variants_come_small_ones_first_and_a_usual_one_is_proposed() -> None:
    files = [HubFile(f"x.{name}.gguf", size) for name, size in (("F16", 9), ("Q2_K", 1), ("Q4_K_M", 4), ("Q8_0", 6))]
    offer = Offer("a/b", "c" * 40, None, "llama", read_choices("a/b", files))
    assert [variant.name for variant in offer.variants] == ["Q2_K", "Q4_K_M", "Q8_0", "F16"]
    assert (offer.usual_variant, offer.n_bytes) == ("Q4_K_M", 4)
    assert offer.choice("q8_0").n_bytes == 6
    with pytest.raises(DownloadError, match="choose from Q2_K, Q4_K_M, Q8_0, F16"):
        offer.choice("Q5")


# Words


@pytest.mark.parametrize(
    ("card", "tags", "licence"),
    [
        ({"license": "mit"}, [], "mit"),
        ({"license": ["mit", "apache-2.0"]}, [], "mit, apache-2.0"),
        ({"license": "other", "license_name": "gemma-terms"}, ["license:other"], "gemma-terms"),
        ({"license": "other"}, [], "other"),
        ({}, ["pytorch", "license:llama3.2"], "llama3.2"),
        ({}, ["pytorch"], None),
        ({"license": None}, [], None),
        ({"license": 7}, [7], None),
        ({"license": "a\nb"}, [], "a b"),
    ],
)
def test_the_licence_is_what_card_or_tags_name(card: dict, tags: list, licence: str | None) -> None:
    assert licence_of(card, tags) == licence


@pytest.mark.parametrize(
    ("n_bytes", "said"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1_000, "1.0 kB"),
        (90_868_376, "91 MB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (1_250_000_000, "1.2 GB"),
        (141_000_000_000, "141 GB"),
        (5 * 10**15, "5,000 TB"),
    ],
)
def test_sizes_are_said_as_people_say_them(n_bytes: int, said: str) -> None:
    assert file_size(n_bytes) == said
