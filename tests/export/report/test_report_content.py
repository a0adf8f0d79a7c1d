"""What a report says: its numbers are those that were measured, nothing that was found or not found is missing."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from attnviz.export.report.content import MOST_EVIDENCE, clearest, shown_in_sentence
from attnviz.export.report.document import Command, Facts, Figure, Heading, Listing, Paragraph, References, numbered
from attnviz.export.report.facts import Origin
from attnviz.export.report.html import html_bytes
from attnviz.export.report.tables import lacking, nearest_head
from attnviz.probing.measures import MARGIN
from attnviz.probing.roles import holds
from attnviz.scene.atlas.scene import AtlasScene
from attnviz.scene.atlas.words import NO_ROLE, interval_text, value_text
from tests.export.report.reports import made_up_report, table_with, tables_of
from tests.probing.made_up import made_up_roles

if TYPE_CHECKING:
    from attnviz.export.report.document import Document
    from attnviz.probing.roles import HeadRoles
    from attnviz.scene.scene import Scene

pytestmark = pytest.mark.usefixtures("qapp")
SIZES = [(1, 1, 0), (2, 3, 1), (6, 12, 2), (4, 16, 3)]
each_size = pytest.mark.parametrize(("n_layer", "n_head", "seed"), SIZES)


def words_of(document: Document) -> str:
    """All that it says outside its tables and pictures."""
    told = []
    for block in document.blocks:
        match block:
            case Heading(text) | Paragraph(text) | Command(text):
                told.append(text)
            case Listing(items):
                told += items
            case Facts(rows):
                told += [f"{name}: {value}" for name, value in rows]
            case References(items):
                told += [item.text for item in items]
    return "\n".join(told)


def figures(roles: HeadRoles) -> list[str]:
    return [f"L{layer}.H{head}" for layer, head in np.ndindex(roles.n_layer, roles.n_head)]


def none_of(document: Document) -> set[str]:
    """The heads that it says no role was found for."""
    (line,) = (text for text in words_of(document).splitlines() if text.startswith("No role was found for these heads"))
    found = set()
    for layer, heads in re.findall(r"L(\d+): ([^;]+?)(?=;|\.$)", line):
        for first, last in re.findall(r"H(\d+)(?:–H(\d+))?", heads):
            found |= {f"L{layer}.H{head}" for head in range(int(first), int(last or first) + 1)}
    return found


@each_size
def test_the_table_of_roles_has_each_role_with_the_numbers_that_were_measured(n_layer: int, n_head: int, seed: int) -> None:
    roles = made_up_roles(n_layer, n_head, seed)
    expected = []
    for at in np.ndindex(n_layer, n_head):
        for role in roles.roles(*at):
            unit, baseline = role.measure.unit, role.measured.baseline
            guessed = f"{value_text(unit, baseline.score)} ({baseline.name})"
            score, interval = value_text(unit, role.score), interval_text(unit, role.low, role.high)
            expected.append((f"L{at[0]}.H{at[1]}", role.measure.title, score, interval, guessed, f"{role.measured.n_case:,}"))
    document = made_up_report(roles)
    if not expected:
        assert "No head has a role." in words_of(document)
        return
    assert list(table_with(document, "Head", "Role").rows) == expected
    assert len(table_with(document, "Head", "Role").marks) == len(expected)


def test_each_head_has_a_role_in_the_table_or_is_among_those_without() -> None:
    roles = made_up_roles(6, 12, 2)
    document = made_up_report(roles)
    having = {row[0] for row in table_with(document, "Head", "Role").rows}
    assert having | none_of(document) == set(figures(roles))
    assert not having & none_of(document)


@each_size
def test_the_counts_in_short_add_up_to_all_heads(n_layer: int, n_head: int, seed: int) -> None:
    roles = made_up_roles(n_layer, n_head, seed)
    (line,) = (text for text in words_of(made_up_report(roles)).splitlines() if "a job that can be measured" in text)
    jobs, heads, rests, none = map(int, re.match(r"(\d+) of (\d+) .*?; (\d+) do.*; for (\d+) it is", line).groups())
    found = [roles.roles(*at) for at in np.ndindex(n_layer, n_head)]
    assert jobs == sum(bool(one) and one[0].measure.group != "rest" for one in found)
    assert none == sum(not one for one in found)
    assert jobs + rests + none == heads == n_layer * n_head


def test_each_measure_is_in_one_of_the_tables_or_has_a_role() -> None:
    roles = made_up_roles(6, 12, 2)
    document = made_up_report(roles)
    without = {row[0] for row in table_with(document, "Measure", "Nearest").rows}
    not_measured = dict(table_with(document, "Measure", "Why").rows)
    with_role = {row[1] for row in table_with(document, "Head", "Role").rows}
    spread = {measured.measure.title for measured in roles.measured if measured.measure.group == "spread"}
    assert without | set(not_measured) | with_role | spread == {measured.measure.title for measured in roles.measured}
    assert len(without) + len(not_measured) + len(with_role) + len(spread) == len(roles.measured)
    assert not_measured["retrieval"] == "measured of models that write"


def test_what_a_head_lacks_is_what_keeps_it_from_the_role() -> None:
    for seed in range(4):
        for measured in made_up_roles(3, 4, seed).measured:
            if not measured.n_case or not measured.measure.is_role or holds(measured).any():
                continue
            at, told = nearest_head(measured), lacking(measured, nearest_head(measured))
            assert measured.low[at] == measured.low.max()
            assert ("threshold" in told) == bool(measured.measure.threshold and measured.score[at] < measured.measure.threshold)
            assert ("margin" in told) == bool(measured.low[at] < measured.baseline.score + MARGIN)
            assert told
            if "margin" in told:
                points = int(re.search(r"margin ([+−]?\d+)", told)[1].replace("−", "-"))
                assert points < 100 * MARGIN
                assert points <= 100 * (measured.low[at] - measured.baseline.score) < points + 1


def test_a_measure_with_too_few_cases_lacks_cases() -> None:
    roles = made_up_roles(2, 2)
    measured = next(one for one in roles.measured if one.n_case and one.measure.is_role)
    assert lacking(replace(measured, n_case=19), (0, 0)) == "cases"
    assert lacking(replace(measured, n_text=9), (0, 0)) == "cases"


def test_the_clearest_are_the_clearest_head_of_each_role_jobs_first() -> None:
    roles = made_up_roles(6, 12, 2)
    every = clearest(roles, most=1_000)
    assert [role.measure.key for role in every] == [key for key in roles.by_key if roles.heads_with(key)]
    assert all((role.layer, role.head) == roles.heads_with(role.measure.key)[0] for role in every)
    few = clearest(roles, most=5)
    assert len(few) == 5
    assert [role for role in every if role in few] == list(few)
    left = [role for role in every if role not in few and role.measure.group != "rest"]
    assert min(role.above for role in few) >= max(role.above for role in left)
    assert len(clearest(roles)) == MOST_EVIDENCE


def test_each_piece_of_evidence_has_its_picture_under_its_own_heading() -> None:
    roles = made_up_roles(6, 12, 2)
    blocks = made_up_report(roles).blocks
    start = next(at for at, block in enumerate(blocks) if block == Heading("Evidence"))
    found = []
    for heading, figure in zip(blocks[start + 2 :: 2], blocks[start + 3 :: 2], strict=False):
        if not isinstance(heading, Heading) or heading.level != 3:
            break
        assert isinstance(figure, Figure)
        found.append(heading.text)
    assert found == [f"{role.measure.title}: L{role.layer}.H{role.head}" for role in clearest(roles)]
    told = words_of(made_up_report(roles))
    n_role = sum(bool(roles.heads_with(key)) for key in roles.by_key)
    assert f"the clearest {MOST_EVIDENCE} of {n_role} roles" in told


def test_heads_shown_in_a_sentence_are_different_ones_with_different_jobs() -> None:
    shown = shown_in_sentence(made_up_roles(6, 12, 2))
    assert len(shown) == 6
    assert len({(role.layer, role.head) for role in shown}) == len({role.measure.key for role in shown}) == 6
    assert all(role.measure.group != "rest" for role in shown)
    assert [role.above for role in shown] == sorted((role.above for role in shown), reverse=True)


def test_a_model_without_any_role_has_a_whole_report_that_says_so() -> None:
    roles = made_up_roles(3, 4, with_roles=False)
    document = made_up_report(roles)
    told = words_of(document)
    assert "0 of 12 heads have a job that can be measured over these sentences; 0 do no such job" in told
    assert f"for 12 it is “{NO_ROLE}”." in told
    assert "No head has a job" in told
    assert "No head has a role." in told
    assert "No head has a role, so there is none to be shown." in told
    assert "No role was found for these heads. L0: all; L1: all; L2: all." in told
    assert not clearest(roles)
    assert [type(block.scene) for block in document.blocks if isinstance(block, Figure)] == [AtlasScene, AtlasScene]


def test_without_importance_nothing_is_said_of_it() -> None:
    roles = replace(made_up_roles(2, 3), importance=None)
    document = made_up_report(roles)
    assert sum(isinstance(block, Figure) and isinstance(block.scene, AtlasScene) for block in document.blocks) == 1
    assert "Importance: left out" in words_of(document)
    assert all(column.title != "Importance" for table in tables_of(document) for column in table.columns)
    assert table_with(document, "Layer").columns[-1].title == "Share on sinks"


def test_the_most_important_heads_stand_with_what_they_do() -> None:
    roles = made_up_roles(4, 8, 1)
    rows = table_with(made_up_report(roles), "Head", "Importance").rows
    scores = {name: roles.importance.score[at] for name, at in zip(figures(roles), np.ndindex(4, 8), strict=True)}
    assert [row[0] for row in rows] == sorted(scores, key=lambda name: -scores[name])[:10]
    for name, score, _, titles in rows:
        layer, head = map(int, re.findall(r"\d+", name))
        assert score == f"{scores[name]:.4f}"
        assert titles == (", ".join(role.measure.title for role in roles.roles(layer, head)) or NO_ROLE)


def test_each_layer_has_the_mean_and_range_of_its_heads() -> None:
    roles = made_up_roles(3, 5, 1)
    table = table_with(made_up_report(roles), "Layer")
    entropy, distance, sinks = (roles.by_key[key].score for key in ("entropy", "distance", "sinks"))
    for layer, row in enumerate(table.rows[:-1]):
        assert row[0] == f"L{layer}"
        assert row[2] == f"{entropy[layer].mean():.2f} ({entropy[layer].min():.2f}–{entropy[layer].max():.2f})"
        assert row[3] == f"{distance[layer].mean():.1f} ({distance[layer].min():.1f}–{distance[layer].max():.1f})"
        assert [int(number) for number in re.findall(r"\d+", row[4])] == [
            round(100 * float(one)) for one in (sinks[layer].mean(), sinks[layer].min(), sinks[layer].max())
        ]
    assert table.rows[-1][0] == "even attention"


def test_it_says_what_cannot_be_concluded_and_cites_both_sides() -> None:
    document = made_up_report(made_up_roles(2, 3))
    told = words_of(document)
    for title in ("Attention is not Explanation", "Attention is not not Explanation"):
        assert told.count(title) == 2  # where it is said, and in the references
    assert "A pattern is not its cause." in told


def test_all_that_is_cited_is_among_the_references() -> None:
    document = made_up_report(made_up_roles(2, 3))
    (references,) = (block for block in document.blocks if isinstance(block, References))
    listed = {(re.match(r"[\w-]+", item.text)[0], re.search(r"\((\d{4})\)", item.text)[1]) for item in references.items}
    cells = " ".join(cell for table in tables_of(document) for row in table.rows for cell in row)
    cited = set(re.findall(r"([A-Z]\w+)(?: & \w+| et al\.)?,? \(?((?:19|20)\d\d)\)?", f"{words_of(document)} {cells}"))
    assert {name for name, _ in cited} >= {"Clark", "Voita", "Jain", "Wiegreffe", "Efron", "Michel"}
    unlisted = {one for one in cited if one[0] not in ("ACL", "Lovelace")} - listed
    assert not unlisted
    assert [item.text for item in references.items] == sorted(item.text for item in references.items)


def test_headings_never_skip_a_level_and_tables_and_figures_count_from_one() -> None:
    blocks = made_up_report(made_up_roles(6, 12, 2)).blocks
    levels = [block.level for block in blocks if isinstance(block, Heading)]
    assert levels[0] == 2
    assert set(levels) == {2, 3}
    numbers = [number for block, number in numbered(blocks) if isinstance(block, Figure)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_author_and_date_are_there_only_if_given() -> None:
    roles = made_up_roles(2, 3)
    told = made_up_report(roles, Origin(author="Ada {L} & #1", date="2026-05-01"))
    assert told.byline == "Ada {L} & #1, 2026-05-01"
    assert r"author = {Ada L \& \#1}," in words_of(told)
    plain = made_up_report(roles, Origin())
    assert plain.byline == ""
    assert "author" not in words_of(plain)
    assert not any(isinstance(block, Command) and block.text.startswith("attnviz") for block in plain.blocks)
    assert not re.search(r"\b20[2-9]\d-\d\d-\d\d\b", words_of(plain))


def test_the_facts_are_json_with_the_sums_of_model_and_corpus() -> None:
    roles = made_up_roles(2, 3)
    facts = json.loads(made_up_report(roles).facts)
    assert (facts["model_sha256"], facts["corpus_sha256"]) == (roles.model_sha256, roles.corpus.sha256)


def test_the_same_roles_make_the_same_document() -> None:
    first, again = (made_up_report(made_up_roles(3, 4, 5)) for _ in range(2))
    assert html_bytes(first, described) == html_bytes(again, described)


def described(scene: Scene) -> bytes:
    """A picture in words alone."""
    return f'<svg viewBox="0 0 1 1">{scene.description}</svg>'.encode()
