"""Making a report of a model: evidence and sentence are the model's own, what is called off or wrong writes nothing."""

from __future__ import annotations

import re
import shlex
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pypdf
import pytest

from attnviz.corpus.opening import open_corpus
from attnviz.engine.model import Model, load_model
from attnviz.errors import Cancelled, ExportError, InputError
from attnviz.export.report.content import clearest, shown_in_sentence
from attnviz.export.report.facts import model_facts
from attnviz.export.report.making import make_report, report_command
from attnviz.probing.kept import Shelf
from attnviz.probing.roles import measure_heads
from tests.corpus.template import write_json_lines, write_template_model
from tests.export.report.reports import Page

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from attnviz.probing.roles import HeadRoles

pytestmark = pytest.mark.usefixtures("qapp")
TEXT = "The old dog saw a fresh bread."


@pytest.fixture(scope="module", params=[False, True], ids=["bert", "gpt"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Model:
    return load_model(write_template_model(tmp_path_factory.mktemp("model") / "wired <&>", causal=request.param))


@pytest.fixture(scope="module")
def roles(model: Model) -> HeadRoles:
    return measure_heads(model, open_corpus(write_json_lines(model.path / "made.jsonl")), muted=3, shelf=Shelf(None))


def test_a_report_shows_the_model_its_evidence_and_the_text(model: Model, roles: HeadRoles, tmp_path: Path) -> None:
    make_report(model, roles, tmp_path / "x.html", TEXT)
    page = Page((tmp_path / "x.html").read_text(encoding="utf-8"))
    facts = dict(zip((t for *_, t in page.all("dt")), (t for *_, t in page.all("dd")), strict=True))
    assert facts["Model"] == model.name == "wired <&>"
    assert facts["Weights, SHA-256"] == model.sha256
    assert facts["Layers and heads"] == "2 layers of 3 heads"
    headings = [text.replace("\xa0", " ") for *_, text in page.all("h3")]
    assert [text for text in headings if ": L" in text] == [f"{r.measure.title}: L{r.layer}.H{r.head}" for r in clearest(roles)]
    assert any(text == f"“{TEXT}”" for *_, text in page.all("p"))
    captions = [text.replace("\xa0", " ") for *_, text in page.all("figcaption")]
    shown = shown_in_sentence(roles)
    assert shown
    assert sum("in this text" in text for text in captions) == len(shown)
    # What is shown of the sentence are its own words, drawn by the head named below.
    pictures = [attributes["aria-label"] for _, attributes, _ in page.all("svg")][-len(shown) :]
    for role, told in zip(shown, pictures, strict=True):
        assert f"layer {role.layer}, head {role.head} of 3" in told
        assert TEXT in told


def test_the_evidence_is_of_what_the_heads_are_wired_for(model: Model, roles: HeadRoles, tmp_path: Path) -> None:
    make_report(model, roles, tmp_path / "x.html")
    page = Page((tmp_path / "x.html").read_text(encoding="utf-8"))
    rows = [text for *_, text in page.all("tr")]
    assert any(text.startswith("L0.H0previous token100") for text in rows)
    assert not any("in this text" in text for *_, text in page.all("figcaption"))


def test_a_pdf_of_the_same_has_the_same_numbers(model: Model, roles: HeadRoles, tmp_path: Path) -> None:
    for name in ("x.html", "x.pdf"):
        make_report(model, roles, tmp_path / name, TEXT)
    page = Page((tmp_path / "x.html").read_text(encoding="utf-8"))
    text = re.sub(r"\s", "", "".join(one.extract_text() for one in pypdf.PdfReader(tmp_path / "x.pdf", strict=True).pages))
    for *_, row in page.all("tr"):
        if re.match(r"L\d\.H\d", row):
            assert re.sub(r"\s", "", row) in text


def test_made_again_it_is_the_same_to_the_byte(model: Model, roles: HeadRoles, tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    for name in ("x.html", "x.pdf"):
        for folder in (tmp_path, tmp_path / "again"):
            make_report(model, roles, folder / name, TEXT, author="Ada", date="May")
        assert (tmp_path / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


@pytest.mark.parametrize("name", ["x.html", "x.pdf"])
def test_it_is_made_on_any_thread(model: Model, roles: HeadRoles, tmp_path: Path, name: str) -> None:
    make_report(model, roles, tmp_path / name, TEXT)
    here = (tmp_path / name).read_bytes()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(make_report, model, roles, tmp_path / name, TEXT).result()
    assert (tmp_path / name).read_bytes() == here


@pytest.mark.parametrize(
    ("name", "text", "error", "said"),
    [
        ("x.docx", TEXT, ExportError, "use one of .html, .pdf"),
        ("none/x.html", TEXT, ExportError, "no such folder"),
        ("x.html", "", InputError, "empty"),
        ("x.html", "\u200b", InputError, "no visible character"),
    ],
)
def test_what_cannot_be_written_or_read_writes_nothing(
    model: Model, roles: HeadRoles, tmp_path: Path, name: str, text: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        make_report(model, roles, tmp_path / name, text)
    assert not list(tmp_path.iterdir())


def test_called_off_at_any_time_it_leaves_what_was_there(model: Model, roles: HeadRoles, tmp_path: Path) -> None:
    answers: list[bool] = []

    def after(n: int) -> Callable[[], bool]:
        answers.clear()
        return lambda: answers.append(len(answers) >= n) or answers[-1]

    make_report(model, roles, tmp_path / "x.pdf", TEXT, after(10_000))
    (tmp_path / "x.pdf").write_bytes(b"before")
    for n in (0, len(answers) // 2, len(answers) - 1):
        with pytest.raises(Cancelled):
            make_report(model, roles, tmp_path / "x.pdf", TEXT, after(n))
        assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"before"]


@pytest.mark.parametrize("text", [None, TEXT, 'It\'s "quoted" $HOME `x` \\ !', "-o dog", "didn't", "a\nb"])
def test_the_command_says_the_same_to_a_shell(model: Model, roles: HeadRoles, tmp_path: Path, text: str | None) -> None:
    words = shlex.split(report_command(model, roles, tmp_path / "x y.pdf", text, "Ada", ""))
    told = [f"--text={text}"] if text is not None else []
    corpus = str(model.path / "made.jsonl")
    wanted = ["attnviz", "report", "--model", str(model.path), "--corpus", corpus, "--muted", "3", *told, "--author=Ada"]
    assert words == [*wanted, "-o", "x y.pdf"]


def test_an_apostrophe_is_set_as_it_is_read(model: Model, roles: HeadRoles, tmp_path: Path) -> None:
    assert '"--text=didn\'t"' in report_command(model, roles, tmp_path / "x.pdf", "didn't")


def test_model_facts_tell_shared_keys_and_which_attention() -> None:
    stack = SimpleNamespace(n_layer=2, n_head=8, n_kv_head=2, d_head=4, d_model=32, looks=[SimpleNamespace(is_causal=False)])
    kinds = ("encoder", "decoder", "cross")
    config = SimpleNamespace(family="t5", kinds=kinds, n_vocab=99, n_position=64, stack_of=lambda kind: stack)
    facts = dict(model_facts(SimpleNamespace(name="m", config=config, path="p", sha256="s"), "encoder").rows)
    assert facts["Layers and heads"] == "2 layers of 8 heads, keys and values of 2 shared"
    assert facts["Attention"].startswith("the encoder's attention was measured, looks both ways")


def test_numbers_of_a_causal_model_say_what_it_cannot_do(model: Model, roles: HeadRoles, tmp_path: Path) -> None:
    make_report(model, roles, tmp_path / "x.html")
    text = (tmp_path / "x.html").read_text(encoding="utf-8")
    assert ("the model looks back alone" in text) == roles.is_causal
    assert np.isnan(roles.by_key["next"].score).all() == roles.is_causal
