"""A small corpus made by a template, and a model whose heads have known jobs in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from tests.probing.wired import First, Pairs, Previous, Same, Uniform, write_wired

if TYPE_CHECKING:
    from pathlib import Path

N: Final = 30
SUBJECTS: Final = ("dog", "cat", "bird", "horse", "girl")
OBJECTS: Final = ("bread", "water", "fruit")
WORDS: Final = (*"the a old fresh saw . it".split(), *SUBJECTS, *OBJECTS)
# Of each determiner the nouns that it stands before, so that a head can find its noun wherever that is.
DETERMINERS: Final = Pairs({"the": SUBJECTS, "a": OBJECTS})
# L0.H0 looks at the token before, L0.H1 from a determiner to its noun, L0.H2 rests on the first token, L1.H2 looks at itself.
HEADS: Final = ((Previous(), DETERMINERS, First()), (Uniform(), Uniform(), Same()))

Rows = list[tuple[str, str, int, str]]  # of a sentence: form, universal part of speech, head from 1, relation


def rows() -> list[Rows]:
    """ "The (old) dog saw a (fresh) bread.": with an adjective or without, so that no fixed offset finds the noun."""
    made = []
    for number in range(N):
        # By twos and fours, since every other sentence is in the other half of what baselines are made from.
        words: Rows = []
        is_old, is_fresh = number // 2 % 2, number // 4 % 2
        verb = 3 + is_old
        words.append(("The", "DET", verb - 1, "det"))
        words += [("old", "ADJ", verb - 1, "amod")] if is_old else []
        words.append((SUBJECTS[number % 5], "NOUN", verb, "nsubj"))
        words.append(("saw", "VERB", 0, "root"))
        noun = verb + 2 + is_fresh
        words.append(("a", "DET", noun, "det"))
        words += [("fresh", "ADJ", noun, "amod")] if is_fresh else []
        words.append((OBJECTS[number % 3], "NOUN", verb, "obj"))
        words.append((".", "PUNCT", verb, "punct"))
        made.append(words)
    return made


def write_json_lines(path: Path) -> Path:
    """The corpus in the program's own form."""
    lines: list[object] = [{"format": "attnviz-corpus", "version": 1, "name": "made by a template"}]
    for number, words in enumerate(rows()):
        forms = [form for form, *_ in words]
        pairs = [[relation, at, head - 1] for at, (*_, head, relation) in enumerate(words) if relation not in ("root", "punct")]
        text = " ".join(forms[:-1]) + forms[-1]
        lines.append({"id": f"made-{number:02d}", "text": text, "words": forms, "pairs": pairs})
    path.write_text("\n".join(json.dumps(line) for line in lines) + "\n", encoding="utf-8")
    return path


def write_conllu(path: Path) -> Path:
    """The same as a treebank."""
    blocks = []
    for number, words in enumerate(rows()):
        lines = [f"# sent_id = made-{number:02d}"]
        for at, (form, upos, head, relation) in enumerate(words, 1):
            misc = "SpaceAfter=No" if at == len(words) - 1 else "_"
            lines.append(f"{at}\t{form}\t_\t{upos}\t_\t_\t{head}\t{relation}\t_\t{misc}")
        blocks.append("\n".join(lines) + "\n")
    path.write_text("\n".join(blocks), encoding="utf-8")
    return path


def write_template_model(folder: Path, causal: bool = False) -> Path:
    """A model with HEADS that knows the corpus' words."""
    return write_wired(folder, HEADS, WORDS, causal)
