"""The model families, one row each: the `model_type` of config.json -> how to read its configuration and weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attnviz.engine.config_keys import short
from attnviz.engine.families.albert import ALBERT
from attnviz.engine.families.bart import BART, MARIAN
from attnviz.engine.families.bert import BERT, ELECTRA, ROBERTA
from attnviz.engine.families.bloom import BLOOM
from attnviz.engine.families.distilbert import DISTILBERT
from attnviz.engine.families.gemma import GEMMA, GEMMA2, GEMMA3, GEMMA3_WITH_VISION
from attnviz.engine.families.gpt2 import GPT2
from attnviz.engine.families.gpt_neox import GPT_NEOX
from attnviz.engine.families.gpt_oss import GPT_OSS
from attnviz.engine.families.llama import LLAMA, MISTRAL, MIXTRAL, OLMO2, PHI3, QWEN2, QWEN3
from attnviz.engine.families.modernbert import MODERNBERT
from attnviz.engine.families.opt import OPT
from attnviz.engine.families.t5 import T5
from attnviz.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from attnviz.engine.families.family import Family

FAMILIES: dict[str, Family] = {
    "bert": BERT,
    "distilbert": DISTILBERT,
    "roberta": ROBERTA,
    "xlm-roberta": ROBERTA,
    "camembert": ROBERTA,
    "albert": ALBERT,
    "electra": ELECTRA,
    "modernbert": MODERNBERT,
    "gpt2": GPT2,
    "gpt_neox": GPT_NEOX,
    "opt": OPT,
    "bloom": BLOOM,
    "llama": LLAMA,
    "mistral": MISTRAL,
    "mixtral": MIXTRAL,
    "qwen2": QWEN2,
    "qwen3": QWEN3,
    "gemma": GEMMA,
    "gemma2": GEMMA2,
    "gemma3_text": GEMMA3,
    "gemma3": GEMMA3_WITH_VISION,
    "phi3": PHI3,
    "olmo2": OLMO2,
    "gpt_oss": GPT_OSS,
    "t5": T5,
    "bart": BART,
    "marian": MARIAN,
}


def family_of(values: Mapping[str, Any], where: str) -> Family:
    """The family of a model by the values of its config.json. Raises ModelError for one that is not known."""
    name = values.get("model_type")
    family = FAMILIES.get(name) if isinstance(name, str) else None
    if family is None:
        raise ModelError(f"{where}: attnviz does not run the family {short(name)}; choose a model of one of {', '.join(FAMILIES)}.")
    return family
