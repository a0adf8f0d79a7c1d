"""What a repository offers: which of its files are the model, how large they are, and whether attnviz can run it.

Everything here is worked out from the Hub's answer, before a file is fetched; only files that are named here are ever asked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from attnviz.engine.files import INDEX, PICKLES
from attnviz.errors import DownloadError
from attnviz.library.gguf_names import group_gguf, variant_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SAFETENSORS: Final = "safetensors"
_NEEDED: Final = ("config.json", "tokenizer.json")
_SMALL: Final = ("tokenizer_config.json", "special_tokens_map.json", "generation_config.json")
_SHARD: Final = re.compile(r"model-\d{5}-of-(\d{5})\.safetensors")
# What a tokenizer consists of where nobody has written it as tokenizer.json.
_SLOW_TOKENIZER: Final = re.compile(r"vocab\.(txt|json)|merges\.txt|(source|target)\.spm|.+\.model|bpe\.codes")
# Small enough for most machines and near enough to the unrounded model to look at; then what comes nearest to that.
_USUAL: Final = (SAFETENSORS, "Q4_K_M", "Q8_0", "Q5_K_M", "Q4_0", "Q4_K_S", "MXFP4", "F16", "BF16")
_PLAIN_NAME: Final = re.compile(r"[^\x00-\x1f\\/:*?\"<>|.][^\x00-\x1f\\/:*?\"<>|]*")


@dataclass(frozen=True)
class HubFile:
    """One file of a repository. sha256: of a large file; blob: the SHA-1 that git knows a small one by; None: not told."""

    name: str
    size: int
    sha256: str | None = None
    blob: str | None = None

    @property
    def local_name(self) -> str:
        """Its name in the model's folder; a repository may keep each variant in a folder of its own, we do."""
        return PurePosixPath(self.name).name


@dataclass(frozen=True)
class Variant:
    """One way to have the model: as safetensors, or as the GGUF file or files of one quantisation."""

    name: str
    files: tuple[HubFile, ...]

    @property
    def n_bytes(self) -> int:
        """The size of its files."""
        return sum(file.size for file in self.files)

    @property
    def is_gguf(self) -> bool:
        """Whether it is GGUF."""
        return self.name != SAFETENSORS


@dataclass(frozen=True)
class Offer:
    """A model that can be fetched. revision: the commit; licence: None if the repository names none; n_layer, n_head: None if
    not told before the download; choices: at least one, small ones first."""

    repository: str
    revision: str
    licence: str | None
    family: str
    choices: tuple[Variant, ...]
    n_layer: int | None = None
    n_head: int | None = None

    @property
    def variants(self) -> tuple[Variant, ...]:
        """What there is to choose from; empty where there is only one form, safetensors."""
        return () if [choice.name for choice in self.choices] == [SAFETENSORS] else self.choices

    @property
    def usual(self) -> Variant:
        """The variant that is taken if nobody chooses."""
        named = {choice.name: choice for choice in self.choices}
        return next((named[name] for name in _USUAL if name in named), self.choices[0])

    @property
    def usual_variant(self) -> str:
        """Its name."""
        return self.usual.name

    @property
    def files(self) -> tuple[HubFile, ...]:
        """The files of the usual variant."""
        return self.usual.files

    @property
    def n_bytes(self) -> int:
        """Their size."""
        return self.usual.n_bytes

    def choice(self, name: str | None) -> Variant:
        """The variant of that name, capitals aside; the usual one for None. Raises DownloadError if there is none."""
        if name is None:
            return self.usual
        found = next((choice for choice in self.choices if choice.name.casefold() == name.casefold()), None)
        if found is None:
            names = ", ".join(choice.name for choice in self.choices)
            raise DownloadError(f'{self.repository}: there is no variant "{name}"; choose from {names}.')
        return found


def read_choices(repository: str, files: Iterable[HubFile]) -> tuple[Variant, ...]:
    """The forms of the model that attnviz can open, small ones first.

    Raises DownloadError, which says what is missing, if there is none.
    """
    by_name = {file.name: file for file in files}
    gguf = _gguf_variants(by_name)
    if _has_safetensors(by_name) and (not gguf or all(name in by_name for name in _NEEDED)):
        gguf.append(_safetensors_variant(repository, by_name))
    if not gguf:
        raise _nothing_to_open(repository, by_name)
    return tuple(sorted(gguf, key=lambda variant: variant.n_bytes))


def licence_of(card: Mapping[str, Any], tags: Iterable[str]) -> str | None:
    """The licence that a repository's card or tags name, in the Hub's short words."""
    told = card.get("license")
    if told == "other" and isinstance(card.get("license_name"), str):
        told = card["license_name"]
    names = [name for name in (told if isinstance(told, list) else [told]) if isinstance(name, str) and name]
    names = names or [tag.removeprefix("license:") for tag in tags if isinstance(tag, str) and tag.startswith("license:")]
    return " ".join(", ".join(names).split())[:100] or None


def _gguf_variants(by_name: Mapping[str, HubFile]) -> list[Variant]:
    safe = {name: file.size for name, file in by_name.items() if all(map(_PLAIN_NAME.fullmatch, name.split("/")))}
    groups = [group for group in group_gguf(safe) if group.is_whole]
    names = variant_names(groups)
    return [Variant(name, tuple(by_name[one] for one in group.names)) for name, group in zip(names, groups, strict=True)]


def _has_safetensors(by_name: Mapping[str, HubFile]) -> bool:
    return bool(_weights(by_name))


def _weights(by_name: Mapping[str, HubFile]) -> list[str]:
    """The files of one set of safetensors in the repository's top folder: the single file before shards and their index."""
    top = [name for name in by_name if name.endswith(".safetensors") and _PLAIN_NAME.fullmatch(name)]
    if "model.safetensors" in top:
        return ["model.safetensors"]
    shards = sorted(name for name in top if _SHARD.fullmatch(name))
    if shards and INDEX in by_name:
        return [INDEX, *shards]
    return top if len(top) == 1 and not shards else []


def _safetensors_variant(repository: str, by_name: Mapping[str, HubFile]) -> Variant:
    missing = [name for name in _NEEDED if name not in by_name]
    if "config.json" in missing:
        raise DownloadError(
            f"{repository}: has weights and no config.json, so it is an addition to a model or no transformer; "
            "look for the repository of the model itself."
        )
    if missing:
        raise _no_tokenizer(repository, by_name)
    weights = _weights(by_name)
    shards = [name for name in weights if _SHARD.fullmatch(name)]
    counts = {int(_SHARD.fullmatch(name)[1]) for name in shards}
    if shards and counts != {len(shards)}:
        raise DownloadError(
            f"{repository}: has {len(shards)} of {max(counts)} files of its weights; wait until its owner has uploaded all of them."
        )
    names = [*_NEEDED, *(name for name in _SMALL if name in by_name), *weights]
    return Variant(SAFETENSORS, tuple(by_name[name] for name in names))


def _no_tokenizer(repository: str, by_name: Mapping[str, HubFile]) -> DownloadError:
    slow = sorted(name for name in by_name if _SLOW_TOKENIZER.fullmatch(name))
    if slow:
        return DownloadError(
            f"{repository}: has only the slow tokenizer's files ({', '.join(slow[:4])}) and no tokenizer.json; "
            "look for a copy of the model that has one."
        )
    return DownloadError(f"{repository}: has no tokenizer.json; look for a copy of the model that has one.")


def _nothing_to_open(repository: str, by_name: Mapping[str, HubFile]) -> DownloadError:
    if any(name.endswith(".safetensors") for name in by_name):
        return DownloadError(
            f"{repository}: its safetensors files are not one model's (no model.safetensors, no {INDEX}); "
            "look for another repository of the model."
        )
    if any(name.lower().endswith(".gguf") for name in by_name):
        return DownloadError(
            f"{repository}: its GGUF files are not a whole language model; look for another repository of the model."
        )
    pickles = sorted(name for name in by_name if PurePosixPath(name).suffix in PICKLES)
    if pickles:
        return DownloadError(
            f"{repository}: has only pickle weights ({pickles[0]}), which can run code; look for a conversion to safetensors."
        )
    return DownloadError(f"{repository}: has no weights in safetensors or GGUF; look for another repository of the model.")
