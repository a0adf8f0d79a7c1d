"""What this program says of the models that nobody can open; the window and the command line show the same sentence."""

from __future__ import annotations

from typing import Final

CLOSED_MODELS: Final = (
    "GPT-4, Gemini and Claude publish no weights, so nobody outside can open them; "
    "their open relatives and rivals GPT-2, gpt-oss, Gemma, LLaMA and Mistral do."
)
