"""Train the tiny tokenizers of the golden data: one of each kind that the model families use.

Part of `make_families`; needs the `tokenizers` library alone. Each has 300 to 400 pieces, special tokens where the
family has them, and meets accents, Chinese characters and an emoji in its texts.
The trainers break ties at random, so that a second training differs a little: keep the files, and train only what is
missing.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

if TYPE_CHECKING:
    from collections.abc import Callable

CORPUS: Final = """
The animal didn't cross the street because it was tired.
The animal didn't cross the street because it was too wide.
Café 東京 🦊 naïve – 好!
The fox 🦊 slept in the café; the naïve dog – 好! – did not.
Tick tock, tick tock: 12 and 12 make 24, 24, 24!
Tick, tock, tick, tock: the clock in the street said 12.
Why not?
Why not cross? Why did it not cross the street?
Who slept? The fox.
Who was tired? The animal was, because it didn't sleep.
It was tired. It slept.
Because it was tired, the animal slept in the street.
東京 is a wide street, said the fox.
She counted: one, two, three, and then 12 and 24.
He said that it was not the fox; it was the dog.
Did the dog cross the street? It did, and it was tired.
The animal, the dog and the fox make three.
Two and two make four; 12 and 12 make 24.
Das Tier überquerte die Straße nicht, weil es müde war.
L'animal n'a pas traversé la rue, car il était fatigué.
El animal no cruzó la calle porque estaba cansado.
Le café était à côté; le renard naïf dormait.
""".strip().splitlines()

# The pattern that Llama 3 splits text by, and Qwen 2 with one digit at a time (their tokenizer.json files).
_LLAMA3_SPLIT: Final = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_QWEN2_SPLIT: Final = _LLAMA3_SPLIT.replace("{1,3}", "")


def wordpiece() -> Tokenizer:
    """BERT's, lower case: [CLS] text [SEP] pair [SEP]."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=300, special_tokens=specials, show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    return _templated(tokenizer, "[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1")


def bpe_gpt2() -> Tokenizer:
    """GPT-2's byte-level BPE; nothing is added to a text."""
    tokenizer = _byte_level(["<|endoftext|>"], pre_tokenizers.ByteLevel(add_prefix_space=False))
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer


def bpe_roberta() -> Tokenizer:
    """RoBERTa's and BART's: <s> text </s></s> pair </s>."""
    tokenizer = _byte_level(["<s>", "<pad>", "</s>", "<unk>", "<mask>"], pre_tokenizers.ByteLevel(add_prefix_space=False))
    vocab = tokenizer.get_vocab()
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", vocab["</s>"]), ("<s>", vocab["<s>"]), trim_offsets=True, add_prefix_space=False
    )
    return tokenizer


def bpe_opt() -> Tokenizer:
    """OPT's: </s> in front."""
    tokenizer = _byte_level(["<s>", "<pad>", "</s>", "<unk>"], pre_tokenizers.ByteLevel(add_prefix_space=False))
    return _templated(tokenizer, "</s> $A", "</s> $A </s>:1 $B:1")


def bpe_modernbert() -> Tokenizer:
    """ModernBERT's: byte-level BPE with BERT's special tokens, type ids all 0."""
    specials = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
    tokenizer = _byte_level(specials, pre_tokenizers.ByteLevel(add_prefix_space=False))
    return _templated(tokenizer, "[CLS] $A [SEP]", "[CLS] $A [SEP] $B [SEP]")


def bpe_llama3() -> Tokenizer:
    """Llama 3's: split by a pattern, then bytes; <|begin_of_text|> in front."""
    tokenizer = _byte_level(["<|begin_of_text|>", "<|end_of_text|>"], _split(_LLAMA3_SPLIT))
    return _templated(tokenizer, "<|begin_of_text|> $A", "<|begin_of_text|> $A <|begin_of_text|>:1 $B:1")


def bpe_qwen2() -> Tokenizer:
    """Qwen 2's: NFC, split by a pattern, then bytes; nothing is added."""
    return _byte_level(["<|endoftext|>", "<|im_start|>", "<|im_end|>"], _split(_QWEN2_SPLIT), normalizers.NFC())


def spm_llama() -> Tokenizer:
    """Llama 2's and Mistral's: BPE over ▁words, unknown characters as bytes <0xE6>, <s> in front."""
    prepend = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer = _byte_fallback(["<unk>", "<s>", "</s>"], prepend)
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return _templated(tokenizer, "<s> $A", "<s> $A <s>:1 $B:1")


def spm_gemma() -> Tokenizer:
    """Gemma's: as Llama 2's without the space in front, <bos> before the text."""
    tokenizer = _byte_fallback(["<pad>", "<eos>", "<bos>", "<unk>"], normalizers.Replace(" ", "▁"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    return _templated(tokenizer, "<bos> $A", "<bos> $A <bos>:1 $B:1")


def unigram_t5() -> Tokenizer:
    """T5's and Marian's: unigram pieces, </s> at the end."""
    tokenizer = _unigram(["<pad>", "</s>", "<unk>"], normalizers.NFKC())
    return _templated(tokenizer, "$A </s>", "$A </s> $B </s>")


def unigram_xlmr() -> Tokenizer:
    """XLM-RoBERTa's: unigram pieces, <s> text </s> </s> pair </s>."""
    tokenizer = _unigram(["<s>", "<pad>", "</s>", "<unk>", "<mask>"], normalizers.NFKC())
    return _templated(tokenizer, "<s> $A </s>", "<s> $A </s> </s> $B </s>")


def unigram_albert() -> Tokenizer:
    """ALBERT's: unigram pieces in lower case without accents, [CLS] text [SEP] pair [SEP]."""
    plain = normalizers.Sequence([normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()])
    tokenizer = _unigram(["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"], plain)
    return _templated(tokenizer, "[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1")


TOKENIZERS: Final[dict[str, Callable[[], Tokenizer]]] = {
    make.__name__: make
    for make in (
        wordpiece,
        bpe_gpt2,
        bpe_roberta,
        bpe_opt,
        bpe_modernbert,
        bpe_llama3,
        bpe_qwen2,
        spm_llama,
        spm_gemma,
        unigram_t5,
        unigram_xlmr,
        unigram_albert,
    )
}


def _byte_level(
    specials: list[str],
    pre_tokenizer: pre_tokenizers.PreTokenizer,
    normalizer: normalizers.Normalizer | None = None,
) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=350, special_tokens=specials, initial_alphabet=alphabet, show_progress=False)
    # Twice the plain English part: merges go to the words of the texts.
    tokenizer.train_from_iterator(CORPUS + CORPUS[:12], trainer)
    return tokenizer


def _split(pattern: str) -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


def _byte_fallback(specials: list[str], normalizer: normalizers.Normalizer) -> Tokenizer:
    """BPE whose alphabet ends at ÿ: every other character falls back to its bytes."""
    trained = Tokenizer(models.BPE())
    trained.normalizer = normalizer
    # Training needs words, or it would merge whole sentences; the finished tokenizer has none, like Llama's.
    trained.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    western = [line.encode("latin-1", "ignore").decode("latin-1") for line in CORPUS]
    trained.train_from_iterator(western, trainers.BpeTrainer(vocab_size=130, show_progress=False))
    state = json.loads(trained.to_str())["model"]
    names = specials + [f"<0x{byte:02X}>" for byte in range(256)]
    names += [piece for piece, _ in sorted(state["vocab"].items(), key=lambda item: item[1])]
    model = models.BPE(
        vocab={piece: i for i, piece in enumerate(names)},
        merges=[tuple(pair) for pair in state["merges"]],
        unk_token="<unk>",
        fuse_unk=True,
        byte_fallback=True,
    )
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizer
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in specials])
    return tokenizer


def _unigram(specials: list[str], normalizer: normalizers.Normalizer) -> Tokenizer:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    trainer = trainers.UnigramTrainer(vocab_size=300, special_tokens=specials, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def _templated(tokenizer: Tokenizer, single: str, pair: str) -> Tokenizer:
    """Put special tokens around one text and around two."""
    vocab = tokenizer.get_vocab()
    pieces = {piece.partition(":")[0] for piece in (single + " " + pair).split()}
    specials = sorted((piece, vocab[piece]) for piece in pieces if piece in vocab)
    tokenizer.post_processor = processors.TemplateProcessing(single=single, pair=pair, special_tokens=specials)
    return tokenizer
