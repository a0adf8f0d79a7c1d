"""One scene as PNG, SVG and PDF: the size that was asked for, real text, embedded fonts, provenance, the same picture."""

from __future__ import annotations

import io
import json
import re
import struct
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np
import pypdf
import pytest
from PySide6.QtCore import QByteArray, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

from attnviz.analysis.edges import Threshold
from attnviz.errors import ExportError
from attnviz.export.figure import Paper, figure_image, figure_scene, preview_image, save_figure
from attnviz.paint.fonts import text_width
from attnviz.session.view import HeadChoice, View
from tests.scene.pictures import hiding, run_of, text_of

if TYPE_CHECKING:
    from pathlib import Path

    from attnviz.engine.model import Model
    from attnviz.session.run import Run

pytestmark = pytest.mark.usefixtures("qapp")
ANIMAL = "The animal didn't cross the street because it was tired."
NASTY = "a < b & \"c\" > 'd' ]]> <script>x</script> \x07\x1b\ufffe &amp; 你好 \ud83d end"
VIEW = View(layer=3, heads=HeadChoice(frozenset({1, 4}), 12))
FORMS = (".png", ".svg", ".pdf")
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def run(minilm: Model) -> Run:
    return run_of(minilm, ANIMAL)


@pytest.fixture(scope="module")
def nasty(minilm: Model) -> Run:
    return run_of(minilm, NASTY)


def saved(run: Run, folder: Path, form: str, paper: Paper | None = None, view: View = VIEW) -> Path:
    path = folder / f"figure{form}"
    save_figure(run, view, path, paper or Paper())
    return path


def pixels_of(image: QImage) -> np.ndarray:
    """[y, x, channel]: blue, green, red, alpha."""
    image = image.convertToFormat(QImage.Format.Format_ARGB32)
    return np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4).astype(int)


def chunks_of(path: Path) -> list[tuple[str, bytes]]:
    """The chunks of a PNG file, checksums verified."""
    raw, at, found = path.read_bytes(), 8, []
    while at < len(raw):
        length, kind = struct.unpack(">I4s", raw[at : at + 8])
        body = raw[at + 8 : at + 8 + length]
        assert zlib.crc32(kind + body) == struct.unpack(">I", raw[at + 8 + length : at + 12 + length])[0]
        found.append((kind.decode(), body))
        at += 12 + length
    return found


def png_texts(path: Path) -> dict[str, str]:
    texts = {}
    for kind, body in chunks_of(path):
        if kind in ("tEXt", "zTXt"):
            name, _, rest = body.partition(b"\0")
            texts[name.decode()] = (rest if kind == "tEXt" else zlib.decompress(rest[1:])).decode("latin-1")
        if kind == "iTXt":
            name, _, rest = body.partition(b"\0")
            packed, (_, _, text) = rest[0], rest[2:].split(b"\0", 2)
            texts[name.decode()] = (zlib.decompress(text) if packed else text).decode()
    return texts


def facts_of(path: Path) -> dict[str, Any]:
    if path.suffix == ".png":
        return json.loads(png_texts(path)["Provenance"])
    if path.suffix == ".svg":
        return json.loads(ElementTree.parse(path).getroot().findtext(f"{SVG}desc"))
    return json.loads(pypdf.PdfReader(path).metadata.creator)


@pytest.mark.parametrize(("width", "dpi"), [(5.5, 300), (3.25, 600), (2.65, 150), (6.75, 96), (1.5, 72)])
def test_a_png_has_the_pixels_and_states_the_resolution_asked_for(run: Run, tmp_path: Path, width: float, dpi: int) -> None:
    path = saved(run, tmp_path, ".png", Paper(width, dpi))
    (header,) = (body for kind, body in chunks_of(path) if kind == "IHDR")
    (physical,) = (body for kind, body in chunks_of(path) if kind == "pHYs")
    assert abs(struct.unpack(">I", header[:4])[0] - width * dpi) <= 1.0
    per_metre = struct.unpack(">IIB", physical)
    assert per_metre == (round(dpi / 0.0254), round(dpi / 0.0254), 1)


@pytest.mark.parametrize(
    ("paper", "corner"),
    [
        (Paper(3.0, 96), (255, 255, 255, 255)),
        (Paper(3.0, 96, "light", "transparent"), (0, 0, 0, 0)),
        (Paper(3.0, 96, "dark", "transparent"), (0, 0, 0, 0)),
        (Paper(3.0, 96, "dark", "theme"), (0x1A, 0x18, 0x17, 255)),
    ],
)
def test_the_corners_are_the_background_asked_for(run: Run, tmp_path: Path, paper: Paper, corner: tuple[int, ...]) -> None:
    pixels = pixels_of(QImage(str(saved(run, tmp_path, ".png", paper))))
    for y, x in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
        assert tuple(pixels[y, x]) == corner


@pytest.mark.parametrize("width", [5.5, 140 / 25.4, 3.25, 13.33])
def test_an_svg_states_its_size_in_millimetres_and_a_viewbox(run: Run, tmp_path: Path, width: float) -> None:
    root = ElementTree.parse(saved(run, tmp_path, ".svg", Paper(width))).getroot()
    scene = figure_scene(run, VIEW, Paper(width))
    for name, logical in (("width", scene.width), ("height", scene.height)):
        number, unit = re.fullmatch(r"([\d.]+)(mm)", root.get(name)).groups()
        assert unit == "mm"
        assert float(number) == pytest.approx(logical / 96 * 25.4, abs=0.14)  # Qt rounds it to whole logical pixels
    assert [float(number) for number in root.get("viewBox").split()] == pytest.approx([0, 0, scene.width, scene.height], abs=0.01)


@pytest.mark.parametrize("hide", [True, False])
def test_an_svg_has_each_token_as_text_in_order(run: Run, tmp_path: Path, hide: bool) -> None:
    root = ElementTree.parse(saved(run, tmp_path, ".svg", view=replace(VIEW, sinks=hiding(hide)))).getroot()
    texts = [(element.text or "").strip() for element in root.iter(f"{SVG}text")]
    at = 0
    for token in (piece.shown for piece in run.trace.pieces if not (hide and piece.is_special)):
        at = texts.index(token, at) + 1


@pytest.mark.parametrize("form", FORMS)
def test_the_hardest_text_still_gives_a_file_that_can_be_read(nasty: Run, tmp_path: Path, form: str) -> None:
    path = saved(nasty, tmp_path, form)
    assert facts_of(path)["text"] == NASTY.replace("\ud83d", "\ufffd")
    if form == ".svg":
        texts = "".join(element.text or "" for element in ElementTree.parse(path).getroot().iter(f"{SVG}text"))
        for piece in nasty.trace.pieces[1:-1]:
            assert piece.shown in texts


def test_an_svg_runs_nothing_and_fetches_nothing(nasty: Run, tmp_path: Path) -> None:
    root = ElementTree.parse(saved(nasty, tmp_path, ".svg")).getroot()
    for element in root.iter():
        assert element.tag.split("}")[1] not in ("script", "image", "foreignObject", "use", "style")
        for name, value in element.attrib.items():
            assert not name.lower().startswith("on")
            assert "href" not in name.lower()
            assert "url(" not in value
            assert "javascript" not in value.lower()


def test_svg_text_keeps_its_family_a_fallback_and_its_length(nasty: Run, tmp_path: Path) -> None:
    """A reader without the type sets its own sans-serif; the length keeps one line from running into the next."""
    lines = [element for element in ElementTree.parse(saved(nasty, tmp_path, ".svg")).getroot().iter(f"{SVG}text") if element.text]
    assert len(lines) > 20
    for line in lines:
        assert line.get("font-family") == "Open Sans, sans-serif"
        bold = int(line.get("font-weight")) >= 600
        assert float(line.get("textLength")) == pytest.approx(text_width(line.text, int(line.get("font-size")), bold), abs=0.01)
    assert any(int(line.get("font-weight")) >= 600 for line in lines)


@pytest.mark.parametrize("width", [5.5, 3.25, 140 / 25.4])
def test_a_pdf_is_one_page_of_the_size_asked_for(run: Run, tmp_path: Path, width: float) -> None:
    scene = figure_scene(run, VIEW, Paper(width))
    (page,) = pypdf.PdfReader(saved(run, tmp_path, ".pdf", Paper(width))).pages
    assert float(page.mediabox.width) == pytest.approx(width * 72, abs=0.5)
    assert float(page.mediabox.height) == pytest.approx(scene.height * 0.75, abs=0.5)


def test_the_tokens_can_be_searched_in_a_pdf(run: Run, tmp_path: Path) -> None:
    text = pypdf.PdfReader(saved(run, tmp_path, ".pdf")).pages[0].extract_text()
    squeezed = re.sub(r"\s", "", text)
    for piece in run.trace.pieces[1:-1]:
        assert piece.shown in squeezed
    assert "all-MiniLM-L6-v2" in squeezed


def test_a_pdf_embeds_its_fonts_as_outlines(run: Run, tmp_path: Path) -> None:
    reader = pypdf.PdfReader(saved(run, tmp_path, ".pdf"))
    fonts = [reference.get_object() for reference in reader.pages[0]["/Resources"]["/Font"].values()]
    assert fonts
    for font in fonts:
        assert font["/Subtype"] != "/Type3"
        (inner,) = (one.get_object() for one in font["/DescendantFonts"])
        descriptor = inner["/FontDescriptor"].get_object()
        assert {"/FontFile2", "/FontFile3"} & set(descriptor)
        assert "OpenSans" in font["/BaseFont"]


def test_each_form_has_a_title_with_the_text(run: Run, tmp_path: Path) -> None:
    titles = [
        png_texts(saved(run, tmp_path, ".png"))["Title"],
        ElementTree.parse(saved(run, tmp_path, ".svg")).getroot().findtext(f"{SVG}title"),
        pypdf.PdfReader(saved(run, tmp_path, ".pdf")).metadata.title,
    ]
    for title in titles:
        assert "layer 3" in title
        assert ANIMAL in title


@pytest.mark.parametrize("form", FORMS)
def test_each_form_says_where_it_comes_from(minilm: Model, tmp_path: Path, form: str) -> None:
    facts = facts_of(saved(run_of(minilm, ANIMAL, 4, 0.7612344), tmp_path, form))
    assert facts["model"] == minilm.name
    assert facts["model_sha256"] == minilm.sha256
    assert (facts["text"], facts["layer"], facts["head_count"], facts["trained_head_count"]) == (ANIMAL, 3, 4, 12)
    assert facts["cosine_to_trained"] == 0.761234
    assert "what_if" in facts


@pytest.mark.parametrize("form", [".png", ".svg"])
def test_the_same_run_gives_the_same_bytes(minilm: Model, tmp_path: Path, form: str) -> None:
    first = saved(run_of(minilm, ANIMAL), tmp_path, form).read_bytes()
    assert saved(run_of(minilm, ANIMAL), tmp_path, form).read_bytes() == first


@pytest.mark.parametrize("n_token", [5, 40])
def test_png_and_svg_are_the_same_picture(minilm: Model, tmp_path: Path, n_token: int) -> None:
    run = run_of(minilm, text_of(minilm, n_token))
    paper = Paper(5.5, 96)
    png = pixels_of(QImage(str(saved(run, tmp_path, ".png", paper))))[..., :3]
    image = QImage(png.shape[1], png.shape[0], QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(QColor("white"))
    painter = QPainter(image)
    # Qt's own SVG reader takes a list of families for one name; the type itself is what is compared here.
    svg_bytes = saved(run, tmp_path, ".svg", paper).read_bytes().replace(b"Open Sans, sans-serif", b"Open Sans")
    QSvgRenderer(QByteArray(svg_bytes)).render(painter)
    painter.end()
    svg = pixels_of(image)[..., :3]
    difference = np.abs(png - svg).max(axis=2)
    ink = (255 - png).max(axis=2) > 40
    assert ink.mean() > 0.01
    # Edges are rasterised a little apart; where one has ink the other has it within two pixels.
    assert difference.mean() < 6.0
    near = np.zeros_like(ink)
    for dy in range(-2, 3):
        for dx in range(-2, 3):
            near |= np.roll((255 - svg).max(axis=2) > 20, (dy, dx), (0, 1))
    assert near[ink].mean() > 0.99


def test_a_larger_resolution_shows_the_same_picture_finer(run: Run) -> None:
    scene = figure_scene(run, VIEW, Paper())
    small, large = (pixels_of(figure_image(scene, Paper(), dpi))[..., :3] for dpi in (96, 192))
    half = large[: small.shape[0] * 2, : small.shape[1] * 2]
    half = half[: half.shape[0] // 2 * 2].reshape(-1, 2, small.shape[1], 2, 3).mean(axis=(1, 3))
    rows = min(len(half), len(small))
    assert np.abs(half[:rows] - small[:rows]).mean() < 6.0


@pytest.mark.parametrize("width", [2.0, 5.5])
def test_the_preview_of_a_figure_that_is_much_reduced_is_as_dark_as_the_file(minilm: Model, width: float) -> None:
    scene = figure_scene(run_of(minilm, text_of(minilm, 100)), View(3, threshold=Threshold("weight", 0.0)), Paper(width))
    preview = preview_image(scene, Paper(), 96 * 380 / scene.height)
    assert preview.height() == pytest.approx(380, abs=1)
    how = Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
    file = figure_image(scene, Paper(), 300).scaled(preview.size(), *how)
    ink = [255 - pixels_of(image)[..., :3].mean() for image in (preview, file)]
    assert ink[0] == pytest.approx(ink[1], rel=0.2)


@pytest.mark.parametrize("view", [View(3), View(3, picture="matrix"), View(3, picture="grid"), View(3, picture="steps")])
def test_the_preview_of_any_picture_is_as_large_as_it_is_wanted(run: Run, view: View) -> None:
    scene = figure_scene(run, view, Paper())
    for dpi in (4.0, 60.0, 200.0):
        image = preview_image(scene, Paper(), dpi)
        assert image.width() == pytest.approx(scene.width * dpi / 96, abs=1)
        assert image.height() == pytest.approx(scene.height * dpi / 96, abs=1)


@pytest.mark.parametrize("width", [0.0, 1.49, 60.1, 1e9, float("inf"), float("nan")])
def test_a_width_that_cannot_be_drawn_is_refused(run: Run, tmp_path: Path, width: float) -> None:
    with pytest.raises(ExportError, match=r"1\.5 to 60"):
        saved(run, tmp_path, ".png", Paper(width))
    assert list(tmp_path.iterdir()) == []


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_made(run: Run, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="pixels is too large"):
        saved(run, tmp_path, ".png", Paper(60.0, 1_200))
    assert list(tmp_path.iterdir()) == []
    assert saved(run, tmp_path, ".svg", Paper(60.0, 1_200)).stat().st_size


@pytest.mark.parametrize("name", ["x", "x.jpg", "x.png.txt", ".png"])
def test_another_ending_is_refused_with_the_known_ones(run: Run, tmp_path: Path, name: str) -> None:
    with pytest.raises(ExportError, match=r"\.png, \.svg, \.pdf"):
        save_figure(run, VIEW, tmp_path / name, Paper())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", FORMS)
def test_a_picture_without_heads_or_words_can_be_saved(minilm: Model, tmp_path: Path, form: str) -> None:
    assert saved(run_of(minilm, "\u0301\ufe0f"), tmp_path, form).stat().st_size
    assert saved(run_of(minilm, "cat"), tmp_path, form, view=View(heads=HeadChoice(frozenset(), 12))).stat().st_size


def test_pdf_reads_from_memory_as_from_disk(run: Run, tmp_path: Path) -> None:
    raw = saved(run, tmp_path, ".pdf").read_bytes()
    assert raw.startswith(b"%PDF-")
    assert len(pypdf.PdfReader(io.BytesIO(raw), strict=True).pages) == 1
