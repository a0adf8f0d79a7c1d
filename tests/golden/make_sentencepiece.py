"""Train two tiny SentencePiece models and keep their pieces with the tokens that SentencePiece gives the nasty strings.

Run by hand, from the repository's root, where sentencepiece 0.2 is installed: `python -m tests.golden.make_sentencepiece`.
The models are as LLaMA's and Gemma's: BPE with scores, and bytes for characters that are no pieces; Gemma's has no blank in
front, and runs of blanks among the symbols that users define.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any, Final

import sentencepiece

from tests.golden.families_tokenizers import CORPUS
from tests.golden.nasty_strings import NASTY_STRINGS

FOLDER: Final = Path(__file__).parent / "sentencepiece"
_MODELS: Final[dict[str, dict[str, Any]]] = {
    "llama": {"vocab_size": 500, "add_dummy_prefix": True},
    "gemma": {
        "vocab_size": 520,
        "add_dummy_prefix": False,
        "user_defined_symbols": ["▁▁", "▁▁▁", "▁▁▁▁", "\n", "\n\n", "<start_of_turn>"],
    },
}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, options in _MODELS.items():
        path = FOLDER / f"{name}.json"
        path.write_text(json.dumps(_about(options), ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


def _about(options: dict[str, Any]) -> dict[str, Any]:
    model = _trained(options)
    pieces = [model.id_to_piece(number) for number in range(model.vocab_size())]
    users = options.get("user_defined_symbols", [])
    return {
        "pieces": pieces,
        "scores": [model.get_score(number) for number in range(len(pieces))],
        "kinds": [_kind(model, number, piece in users) for number, piece in enumerate(pieces)],
        "ids": [model.encode(text) for text in NASTY_STRINGS],
    }


def _trained(options: dict[str, Any]) -> sentencepiece.SentencePieceProcessor:
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus.txt"
        corpus.write_text("\n".join(CORPUS * 3), encoding="utf-8")
        sentencepiece.SentencePieceTrainer.train(
            input=str(corpus),
            model_prefix=f"{folder}/model",
            model_type="bpe",
            byte_fallback=True,
            split_digits=True,
            normalization_rule_name="identity",
            remove_extra_whitespaces=False,
            character_coverage=0.98,
            num_threads=1,
            minloglevel=2,
            **options,
        )
        return sentencepiece.SentencePieceProcessor(model_file=f"{folder}/model.model")


def _kind(model: sentencepiece.SentencePieceProcessor, number: int, by_user: bool) -> int:
    """As a GGUF file numbers the kinds of pieces."""
    kinds = ((2, model.is_unknown), (3, model.is_control), (5, model.is_unused), (6, model.is_byte))
    return next((kind for kind, is_it in kinds if is_it(number)), 4 if by_user else 1)


if __name__ == "__main__":
    main()
