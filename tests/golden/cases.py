"""The texts of the golden data, by name: each has something that a forward pass or a tokenizer can get wrong."""

from __future__ import annotations

from typing import Final

# Exactly 120 tokens with [CLS] and [SEP]; the script that makes the data checks this number and the seven below.
_LONG: Final = (
    "The night ferry left the harbour an hour late, because the captain would not sail before the fog had lifted. "
    "Marta stood at the rail with her brother's old telescope and counted the lighthouses: seven, then eight, although "
    "the chart that he had drawn in 1987 showed only six. Someone had built two more, or someone had lied. Below deck "
    "a violinist, who had missed the earlier boat, was tuning his instrument for nobody in particular; its strings, he "
    "complained, hated the damp. When she finally folded the map and went inside, the music stopped, and nobody smiled."
)

# name -> (text, second text of a pair or None)
CASES: Final[dict[str, tuple[str, str | None]]] = {
    "seven": ("The boy who studied passed", None),
    "long": (_LONG, None),
    "scripts": ("Café naïve 😀👩‍🚀 東京タワー 你好 שלום Ærøskøbing 한국 résumé 🇫🇷!", None),
    "empty": ("", None),
    "animal": ("The animal didn't cross the street because it was tired.", None),
    "nasty": (
        "  Tab\there,\r\nno\u00a0break \u200bzero\x07bell [MASK] <b>&amp;</b>... 3.14159 -1e-9 $1,000.00 "
        "Donaudampfschifffahrt "
        + "x" * 101  # WordPiece gives up on words over 100 characters: one [UNK]
        + " a%20b#c '\"`~^|\\ [mask] ##ing \ufffd end\n\n",
        None,
    ),
    "pair": ("Who deposited the money?", "The woman put her savings in the bank, not under the bed."),
}
N_TOKENS: Final[dict[str, int]] = {"seven": 7, "long": 120, "empty": 2}
