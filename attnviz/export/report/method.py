"""How a report says what was measured, and what follows from it and what does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attnviz.analysis.bootstrap import DRAWS, LEVEL
from attnviz.export.report.document import Column, Heading, Listing, Paragraph, Table
from attnviz.probing.generated import LENGTHS, NEEDLES, REPEATS
from attnviz.probing.measures import GROUPS, LEAST_CASES, LEAST_TEXTS, MARGIN, measures_of
from attnviz.scene.atlas.words import NO_ROLE, value_text
from attnviz.scene.words import count_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from attnviz.export.report.document import Block
    from attnviz.probing.measures import Measure
    from attnviz.probing.roles import HeadRoles

_PERCENT: Final = f"{100 * LEVEL:.0f} %"
_POINTS: Final = f"{100 * MARGIN:.0f} points"


def method_blocks(roles: HeadRoles) -> Iterator[Block]:
    """A page to be read: definitions, baselines, intervals, the rule."""
    yield Heading("How it was measured")
    yield Paragraph(
        "An attention head of a layer gives each token, the query, weights over the tokens that it may look at, the keys. They are "
        "positive and sum to 1. Layers and heads are numbered from 0: L3.H1 is head 1 of layer 3. Each text is read by itself by "
        "the model as it was trained, and the weights of each head are set against what is known of the text: where its tokens "
        "stand, and which of its words are related. One sentence is never evidence; all numbers are over the whole corpus."
    )
    first = " So is the first token, which is a resting place here." if any(text.is_blocked for text in roles.plan.texts) else ""
    yield Paragraph(
        "Relations are between words. Where a word has several tokens, the attention to it is the sum over them and the attention "
        "from it their mean (Clark et al. 2019). Special tokens and the word itself are left out before the largest weight is "
        f"looked for.{first} Where several weights are alike, each counts for its part."
    )
    yield _definitions(roles)
    yield Heading("Baselines", 3)
    yield Paragraph(
        "A head that looks two tokens ahead finds the object of many a preposition and knows nothing of grammar. So each score "
        "stands beside the best that can be reached without looking at the model. For the largest weight that is one fixed offset, "
        "the one that is right most often over all texts (and beside it the one that is so in half of them, scored on the other "
        "half); or chance; for mentions also the "
        "nearest mention before, and the nearest one with the same word; and words that a head may look at for what they are: the "
        "nearest, next, previous and first content word, the next and previous function word, the rarest, first and last word. "
        "Function words are the corpus' most frequent ones, which make up half of it. For shares of "
        "attention it is attention spread evenly over all that a token may look at. Each measure's highest baseline counts."
    )
    yield Heading("Intervals", 3)
    yield Paragraph(
        f"The {_PERCENT} interval of a score says how far it would be another with other texts of the same kind. It is the "
        f"percentile bootstrap (Efron 1979) with {DRAWS:,} draws: whole texts are drawn, as the cases in one text are not "
        "independent, and equal texts and two that go together are drawn as one. The draws are the same each time. Baselines "
        "are taken as exact, though they come from the same texts."
    )
    yield Heading("When a head has a role", 3)
    yield Paragraph("A head has the role of a measure where all of this holds:")
    yield Listing(
        (
            f"there are at least {LEAST_CASES} cases in at least {LEAST_TEXTS} texts;",
            "its score reaches the published threshold, where there is one;",
            f"the lower end of its {_PERCENT} interval lies {_POINTS} or more above the best baseline.",
        )
    )
    yield Paragraph(
        f"Everything else is “{NO_ROLE}”. That is the usual answer and says nothing against a head: it may do something that is "
        "not measured here, something between the measures, or its job too seldom to be told from chance in so many sentences. A "
        "head may have several roles. Resting places, such as the first token, are where attention goes when a head has nothing to "
        "look for (Clark et al. 2019; Gu et al. 2025); they are named and never counted as a job."
    )
    if roles.importance is not None:
        yield Heading("Importance", 3)
        yield Paragraph(
            "Each head in turn is muted: its output is set to zero, all else stays. Importance is how far the final vectors of the "
            "text's tokens then turn, 1 less their mean cosine to those of the whole model: 0 where nothing changes, 1 at a right "
            f"angle. It is the mean over {count_of(roles.importance.n_text, 'sentence')} of the corpus. Michel et al. (2019) leave "
            "out one head at a time in the same way, and score it by a task."
        )


def limits_blocks(roles: HeadRoles) -> Iterator[Block]:
    """What does not follow."""
    yield Heading("What cannot be concluded")
    n_head, n_measure = roles.n_layer * roles.n_head, sum(measured.measure.is_role for measured in roles.measured)
    yield Listing(
        (
            "A pattern is not its cause. That a head's largest weight lies on a pronoun's antecedent does not show that the model "
            "uses this head to resolve the pronoun. Muting is a step further, and no proof: other heads may stand in for a muted "
            "one, and a head can matter for another reason than its pattern.",
            "Attention is not explanation. Jain & Wallace (2019), “Attention is not Explanation”, find other weights that lead to "
            "the same predictions; Wiegreffe & Pinter (2019), “Attention is not not Explanation”, show that this depends on what "
            "an explanation is asked to do. Weights say from where a head takes, not what it takes, nor what becomes of it.",
            "Importance is largest in the last layers, which write into the final vectors with nothing behind them that could make "
            "up for it; compare heads of one layer.",
            "Roles are of these texts. In another language, in longer or other texts, the same head may do something else.",
            f"The clearest of {count_of(n_head, 'head')} is chosen and scored on the same sentences, so its score is a little too "
            f"good; {n_head * n_measure:,} pairs of a head and a measure are looked at, and nothing corrects for that but the "
            f"margin of {_POINTS}.",
            "The corpus says which words are related, and a sentence may be read in more than one way. A tokenizer that parts "
            "words otherwise gives other cases.",
        )
    )


def _definitions(roles: HeadRoles) -> Table:
    columns = tuple(map(Column, ("Measure", "What is counted", "Threshold", "Source")))
    rows = tuple(_definition(measure) for measure in _defined(roles))
    return Table(
        "What is counted of each head. Without a threshold the margin above the baseline is all that is asked", columns, rows
    )


def _defined(roles: HeadRoles) -> list[Measure | tuple[str, str, str, str]]:
    """The measures, those of one kind as one: fixed offsets, and the relations of grammar and meaning."""
    measures = measures_of(roles.corpus.relations)
    found: list[Measure | tuple[str, str, str, str]] = []
    for measure in measures:
        if measure.offset is not None:
            one = _kind(measure, _offsets(measures), "how often a token's largest weight, specials apart, is on the one so far off")
        elif measure.relation is not None:
            title = f"{GROUPS['grammar']}: {count_of(len(roles.corpus.relations), 'relation')}, each both ways"
            counts = "how often the largest weight of one of the two words, itself and specials apart, is on the other"
            one = _kind(measure, title, counts)
        else:
            one = measure
        if one not in found:
            found.append(one)
    return found


def _offsets(measures: tuple[Measure, ...]) -> str:
    far = [abs(measure.offset) for measure in measures if measure.offset is not None]
    return f"{min(far)} to {max(far)} tokens back or ahead"


def _kind(measure: Measure, title: str, counts: str) -> tuple[str, str, str, str]:
    return title, counts, _threshold(measure), measure.source


def _definition(one: Measure | tuple[str, str, str, str]) -> tuple[str, str, str, str]:
    return one if isinstance(one, tuple) else (one.title, one.counts, _threshold(one), one.source)


def _threshold(measure: Measure) -> str:
    if not measure.is_role:
        return "no role"
    return "\N{EN DASH}" if measure.threshold is None else value_text(measure.unit, measure.threshold)


def generated_line(roles: HeadRoles) -> str:
    """Which texts were made by chance besides the corpus'."""
    own = [text.id for text in roles.plan.texts if text.sentence is None]
    n_random = sum(name.startswith("random") for name in own)
    told = [f"{count_of(n_random, 'text')} of {min(LENGTHS)} to {max(LENGTHS)} random tokens repeated {REPEATS} times"]
    if len(own) > n_random:
        told.append(f"{len(own) - n_random} of {NEEDLES} texts that say something once and ask for it at the end")
    return "; ".join(told) if own else "none: the model reads no text that is long enough"
