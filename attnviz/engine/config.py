"""What a model is, as one frozen value. Every structural difference between families is a field here.

Sizes are counts; `d_` are widths in numbers per token.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from attnviz.engine.rope import Rope

Activation = Literal["gelu", "gelu_tanh", "quick_gelu", "relu", "relu2", "silu", "tanh"]
NormKind = Literal["layer", "rms"]
Kind = Literal["encoder", "decoder", "cross"]


@dataclass(frozen=True)
class Looking:
    """How the queries of one layer look at keys.

    scale: factor on q·k; reach: a key is visible up to this distance, None for any; soft_cap: scores go through
    cap·tanh(score/cap); rope: how queries and keys are turned by their positions.
    """

    scale: float
    is_causal: bool
    reach: int | None = None
    soft_cap: float | None = None
    rope: Rope | None = None


@dataclass(frozen=True)
class Buckets:
    """Relative positions in T5's buckets: distances up to `n` / 2 (or `n` / 4 each way) exactly, the others by logarithm."""

    n: int
    max_distance: int


@dataclass(frozen=True)
class ExpertChoice:
    """A feed-forward part of several experts of which each token passes through `n_used`."""

    n: int
    n_used: int


@dataclass(frozen=True)
class Stack:
    """Layers of one shape, one after the other.

    n_kv_head: heads of keys and values, each shared by n_head / n_kv_head queries' heads;
    looks: one per layer; is_parallel: attention and feed-forward read the same input (GPT-NeoX);
    residual_is_normed: the residual stream is the layer's normed input (an option of BLOOM);
    has_alibi: scores fall with the distance by a slope per head; buckets: scores have a learned bias by distance;
    gate_limit: where gpt-oss's gate is clamped, None for the plain product; gate_slope: how steeply that one opens;
    has_cross: each layer also looks at the encoder's tokens.
    """

    n_layer: int
    n_head: int
    n_kv_head: int
    d_head: int
    d_model: int
    d_ff: int
    norm: NormKind
    norm_eps: float
    activation: Activation
    looks: tuple[Looking, ...]
    is_parallel: bool = False
    residual_is_normed: bool = False
    has_alibi: bool = False
    buckets: Buckets | None = None
    experts: ExpertChoice | None = None
    gate_limit: float | None = None
    gate_slope: float = 1.0
    has_cross: bool = False


@dataclass(frozen=True)
class ModelConfig:
    """The structure of a model.

    stack: the layers, of an encoder-decoder the encoder's; decoder: its decoder's, else None; n_position: the most tokens it
    can read; n_trained: how many its configuration says it was made for, by default those; n_segment: how many texts it tells
    apart (0: none); d_embedding: the width of a word vector, where that may differ from the layers'; padding_id: the token that
    RoBERTa's positions leave out; first_position: the row of the first token's position; embedding_scale: factor on the word
    vectors;
    head_activation: inside the prediction head of a masked language model; logit_scale, logit_cap: on the logits;
    decoder_start: the token every decoder text begins with; is_tied: the output matrix is the word vectors;
    predicts: whether the checkpoint is of a language model, not of its layers alone or of a classifier;
    has_…, is_…, shares_words, shared_layers: which of its tensors a checkpoint has, read by its family alone.
    """

    family: str
    n_vocab: int
    n_position: int
    stack: Stack
    decoder: Stack | None = None
    n_segment: int = 0
    d_embedding: int = 0
    padding_id: int | None = None
    first_position: int = 0
    embedding_scale: float = 1.0
    head_activation: Activation = "gelu"
    is_tied: bool = True
    predicts: bool = True
    has_attention_bias: bool = False
    has_output_bias: bool = False
    has_mlp_bias: bool = False
    has_norm_bias: bool = False
    has_norm_scale: bool = True
    has_head_bias: bool = False
    has_final_norm: bool = True
    is_pre_norm: bool = True
    is_gated: bool = False
    shares_words: bool = True
    shared_layers: tuple[tuple[int, int], ...] = ()
    logit_scale: float = 1.0
    logit_cap: float | None = None
    decoder_start: int | None = None
    n_trained: int = 0

    def __post_init__(self) -> None:
        if not self.n_trained:
            object.__setattr__(self, "n_trained", self.n_position)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The attentions that a run leaves behind, the first one first to be shown."""
        if self.decoder is not None:
            return ("encoder", "decoder", "cross")
        return ("decoder",) if self.stack.looks[0].is_causal else ("encoder",)

    def stack_of(self, kind: Kind) -> Stack:
        """The layers that make an attention of that kind."""
        return self.stack if self.decoder is None or kind == "encoder" else self.decoder

    @property
    def n_layer(self) -> int:
        """Layers of the stack, numbered from 0."""
        return self.stack.n_layer

    @property
    def n_head(self) -> int:
        """Trained heads of a layer."""
        return self.stack.n_head

    @property
    def d_head(self) -> int:
        """Width of one trained head."""
        return self.stack.d_head

    @property
    def d_model(self) -> int:
        """Width of a token's vector between the layers."""
        return self.stack.d_model
