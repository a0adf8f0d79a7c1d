"""Reading the configuration keys that many families share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attnviz.engine.config import Looking
from attnviz.engine.config_keys import LARGEST_VOCABULARY, LONGEST, MOST_HEADS, MOST_LAYERS, REQUIRED, WIDEST, ConfigKeys

if TYPE_CHECKING:
    from attnviz.engine.config import Activation

ACTIVATIONS: dict[str, Activation] = {
    "gelu": "gelu",
    "gelu_python": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
    "gelu_accurate": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "gelu_python_tanh": "gelu_tanh",
    "quick_gelu": "quick_gelu",
    "relu": "relu",
    "relu2": "relu2",
    "silu": "silu",
    "swish": "silu",
    "tanh": "tanh",
}

# Keys that change training, labels, generation or bookkeeping, never the attention of a forward pass, whatever the family.
HARMLESS = frozenset(
    """_attn_implementation _attn_implementation_autoset _attn_implementation_internal _commit_hash _name_or_path
    _num_labels architectures attention_dropout attention_probs_dropout_prob attn_implementation auto_map bad_words_ids
    begin_suppress_tokens bos_token_id chunk_size_feed_forward classifier_activation classifier_bias classifier_dropout
    classifier_dropout_prob classifier_pooling cls_token_id decoder_start_token_id directionality diversity_penalty
    do_sample dtype early_stopping embd_pdrop encoder_no_repeat_ngram_size eos_token_id exponential_decay_length_penalty
    finetuning_task forced_bos_token_id forced_eos_token_id gradient_checkpointing hidden_dropout hidden_dropout_prob
    id2label init_std initializer_factor initializer_range label2id language layerdrop length_penalty mask_token_id
    max_length min_length model_type name name_or_path no_repeat_ngram_size num_beam_groups num_beams num_labels
    num_return_sequences output_attentions output_hidden_states output_past output_scores pad_token_id pooler_fc_size
    pooler_num_attention_heads pooler_num_fc_layers pooler_size_per_head pooler_type prefix problem_type
    remove_invalid_values repetition_penalty resid_pdrop return_dict return_dict_in_generate
    sbert_ce_default_activation_function sentence_transformers sep_token_id summary_activation summary_first_dropout
    summary_last_dropout summary_proj_to_labels summary_type summary_use_proj suppress_tokens task_specific_params
    temperature tf_legacy_loss tokenizer_class top_k top_p torch_dtype torchscript transformers_version typical_p
    unk_token_id use_bfloat16 use_cache""".split()
)

_CAUSAL_ONLY = ("is_encoder_decoder", "add_cross_attention")


# What the class names of transformers' language models have that those of bare models and classifiers lack.
_PREDICTING = ("ForCausalLM", "LMHead", "ForConditionalGeneration", "ForMaskedLM", "ForPreTraining", "MTModel", "WithLM")


def predicts(keys: ConfigKeys) -> bool:
    """Whether `architectures` names a language model; where it says nothing, yes."""
    names = keys.strings("architectures")
    return not names or any(part in name for name in names for part in _PREDICTING)


def layers_of(keys: ConfigKeys, name: str = "num_hidden_layers") -> int:
    """The number of layers."""
    return keys.integer(name, 1, MOST_LAYERS)


def heads_of(keys: ConfigKeys, name: str = "num_attention_heads") -> int:
    """The number of heads."""
    return keys.integer(name, 1, MOST_HEADS)


def width_of(keys: ConfigKeys, name: str = "hidden_size") -> int:
    """The width of a token's vector, or of another part."""
    return keys.integer(name, 1, WIDEST)


def vocabulary_of(keys: ConfigKeys, name: str = "vocab_size") -> int:
    """The number of tokens the model has vectors for."""
    return keys.integer(name, 1, LARGEST_VOCABULARY)


def positions_of(keys: ConfigKeys, name: str = "max_position_embeddings", default: Any = REQUIRED) -> int:
    """The most tokens the model reads."""
    return keys.integer(name, 1, LONGEST, default)


def head_width(keys: ConfigKeys, d_model: int, n_head: int, name: str = "head_dim", default: int | None = None) -> int:
    """The width of a head: its own key, the family's `default`, or the model's width shared out. Raises ModelError where that does
    not divide."""
    width = keys.integer(name, 1, WIDEST, default=default) if name else None
    if width is not None:
        return width
    if d_model % n_head:
        raise keys.refuse(f'the width {d_model} is not a multiple of "num_attention_heads" {n_head}')
    return d_model // n_head


def shared_heads(keys: ConfigKeys, n_head: int, name: str = "num_key_value_heads") -> int:
    """The number of key and value heads, each shared by as many query heads."""
    n_kv_head = keys.integer(name, 1, n_head, default=n_head)
    if n_head % n_kv_head:
        raise keys.refuse(f"{n_head} heads cannot share {n_kv_head} key heads evenly")
    return n_kv_head


def one_text_encoder(keys: ConfigKeys) -> None:
    """Accept only what an encoder without a decoder says of itself."""
    keys.only("is_decoder", False)
    keys.only("position_embedding_type", "absolute")
    keys.only("pruned_heads", {})
    _no_cross(keys)


def decoder_alone(keys: ConfigKeys) -> None:
    """Accept only what a decoder without an encoder says of itself."""
    keys.only("is_decoder", False, True)
    keys.only("pruned_heads", {})
    _no_cross(keys)


def _no_cross(keys: ConfigKeys) -> None:
    for name in _CAUSAL_ONLY:
        keys.only(name, False)
    keys.only("cross_attention_hidden_size")
    keys.only("tie_encoder_decoder", False)


def alike(n_layer: int, look: Looking) -> tuple[Looking, ...]:
    """The same way of looking in each layer."""
    return (look,) * n_layer


def window_layers(keys: ConfigKeys, n_layer: int, slides: list[bool]) -> list[bool]:
    """For each layer whether its attention slides: `layer_types` where that is given, else `slides`."""
    types = keys.words("layer_types", ("sliding_attention", "full_attention"), n_layer)
    return slides if types is None else [kind == "sliding_attention" for kind in types]


def window_of(keys: ConfigKeys, default: int | None = None, narrowest: int = 1) -> int | None:
    """`sliding_window`, the number of keys that a query sees, itself included; None for all of them, as null says.

    default: what the family's code takes where the key is absent.
    """
    return keys.integer("sliding_window", narrowest, LONGEST, default=None if keys.is_null("sliding_window") else default)


def reaches_of(keys: ConfigKeys, window: int | None, slides: list[bool]) -> list[int | None]:
    """How far each layer looks back; None for any distance. Raises ModelError where layers should slide and no window is given."""
    if window is None and any(slides):
        raise keys.refuse('"layer_types" has layers with a window and "sliding_window" gives none')
    return [window - 1 if sliding and window is not None else None for sliding in slides]
