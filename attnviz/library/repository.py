"""Any model of the Hugging Face Hub: what it is first, then the download of what is needed and nothing else.

A model appears in attnviz' own folder whole and checked, or not at all. What an interrupted download has brought is kept beside
it under a name with a dot, and the next try goes on from there.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attnviz.errors import DownloadError, ModelError, never
from attnviz.library.arrival import arrive, arrived_bytes, free_bytes, is_whole, path_in, target_of
from attnviz.library.hub_answers import run_job
from attnviz.library.offer import HubFile, Offer, Variant, licence_of, read_choices
from attnviz.library.places import models_folder
from attnviz.library.progress import Watch
from attnviz.library.repository_name import is_repository, read_repository
from attnviz.library.sizes import file_size

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.library.progress import ProgressCallback

__all__ = ["HubFile", "Offer", "Variant", "fetch", "look_up"]

ROOM = 64 << 20  # bytes that a download leaves free
Facts = tuple[str, int | None, int | None]  # family, layers, heads; None where only the file tells


def look_up(repository: str, cancelled: Callable[[], bool] = never) -> Offer:
    """What a repository offers, by its owner/name or the address of its page. No weights are fetched.

    A token in HF_TOKEN or in huggingface_hub's token file is used where there is one.
    Raises DownloadError with what to do about it: no such repository, private, gated, only pickles, a family that attnviz does
    not run, larger than the free disk, no network. Raises Cancelled within a second of being called off.
    """
    asked = read_repository(repository)
    with tempfile.TemporaryDirectory(prefix="attnviz-") as folder:
        work, answer = Path(folder), Path(folder) / "answer.json"
        job = {"verb": "ask", "repository": asked, "answer": str(answer)}
        run_job(job, work / "files", Watch("Asking the Hub", None, cancelled))
        offer = read_offer(json.loads(answer.read_text(encoding="utf-8")))
    check_room(offer, min(offer.choices, key=lambda choice: choice.n_bytes))
    return offer


def fetch(
    offer: Offer,
    progress: ProgressCallback | None = None,
    cancelled: Callable[[], bool] = never,
    variant: str | None = None,
) -> Path:
    """The model of an offer in attnviz' models folder, fetched first if it is not there: a folder, or a .gguf file.

    progress, cancelled: called on this thread about ten times a second. variant: one of the offer's, the usual one for None.
    Raises DownloadError, Cancelled; both leave no model, and what has arrived for the next try.
    """
    chosen = offer.choice(variant)
    target = target_of(offer, chosen)
    Watch("Checking the model", progress, cancelled).tell()
    if is_whole(target, chosen):
        return path_in(target, chosen)
    check_room(offer, chosen)
    return arrive(offer, chosen, progress, cancelled)


def read_offer(answer: dict[str, Any]) -> Offer:
    """The offer in what hub_program.py wrote. Raises DownloadError for a model that attnviz cannot run, with the reason."""
    repository, revision = answer["repository"], answer["revision"]
    if not is_repository(repository) or not isinstance(revision, str) or not revision.isalnum():
        raise DownloadError("The Hub's answer names no repository; check HF_ENDPOINT and the network.")
    choices = read_choices(repository, [HubFile(**file) for file in answer["files"]])
    refusals: list[DownloadError] = []
    facts: dict[bool, Facts] = {}  # by whether it is GGUF
    for is_gguf, read in ((False, _facts_of_config), (True, _facts_of_architecture)):
        if any(choice.is_gguf == is_gguf for choice in choices):
            try:
                facts[is_gguf] = read(answer)
            except DownloadError as error:
                refusals.append(error)
    if not facts:
        raise refusals[0]
    choices = tuple(choice for choice in choices if choice.is_gguf in facts)
    family, n_layer, n_head = facts[min(facts)]
    return Offer(repository, revision, licence_of(answer["card"], answer["tags"]), family, choices, n_layer, n_head)


def check_room(offer: Offer, chosen: Variant) -> None:
    """Raises DownloadError with both figures if the disk has no room for it."""
    free = free_bytes(models_folder()) + arrived_bytes(offer, chosen)
    if chosen.n_bytes + ROOM > free:
        raise DownloadError(
            f"{offer.repository}: takes {file_size(chosen.n_bytes)} and {file_size(free)} are free in {models_folder()}; "
            "make room, or set ATTNVIZ_DATA to a folder on a larger disk."
        )


def _facts_of_config(answer: dict[str, Any]) -> Facts:
    """By the config.json, which is read as strictly as it will be once the model is here."""
    from attnviz.engine.config_keys import ConfigKeys
    from attnviz.engine.families import family_of

    where = f"{answer['repository']}: config.json"
    try:
        values = json.loads(answer["config"] or "")
    except (ValueError, RecursionError) as error:
        raise DownloadError(f"{where} is not readable as JSON; look for another repository of the model.") from error
    if not isinstance(values, dict):
        raise DownloadError(f"{where} is no model's configuration; look for another repository of the model.")
    try:
        config = family_of(values, where).read_config(ConfigKeys(values, where))
    except ModelError as error:
        raise DownloadError(str(error)) from error
    return values["model_type"], config.n_layer, config.n_head


def _facts_of_architecture(answer: dict[str, Any]) -> Facts:
    """By the architecture that the Hub has read out of a GGUF file; where it has not, the file will tell."""
    from attnviz.engine.gguf.config import ARCHITECTURES

    name = answer["gguf"].get("architecture")
    if not isinstance(name, str):
        return "", None, None
    if name not in ARCHITECTURES:
        raise DownloadError(
            f'{answer["repository"]}: its architecture is "{name[:40]}"; of GGUF files attnviz runs {", ".join(ARCHITECTURES)}.'
        )
    return name, None, None
