"""What a report of heads' roles cites."""

from __future__ import annotations

from typing import Final

from attnviz.export.report.document import Reference, References

_ARXIV: Final = "https://arxiv.org/abs/"


def _on_arxiv(text: str, number: str) -> Reference:
    return Reference(text, f"{_ARXIV}{number}")


REFERENCES: Final = References(
    (
        _on_arxiv(
            "Clark, K., Khandelwal, U., Levy, O. & Manning, C. D. (2019). What Does BERT Look At? An Analysis of BERT's Attention. "
            "BlackboxNLP at ACL.",
            "1906.04341",
        ),
        Reference(
            "Efron, B. (1979). Bootstrap Methods: Another Look at the Jackknife. The Annals of Statistics 7(1), 1–26.",
            "https://doi.org/10.1214/aos/1176344552",
        ),
        _on_arxiv(
            "Gu, X., Pang, T., Du, C., Liu, Q., Zhang, F., Du, C., Wang, Y. & Lin, M. (2025). When Attention Sink Emerges in "
            "Language Models: An Empirical View. ICLR.",
            "2410.10781",
        ),
        _on_arxiv("Jain, S. & Wallace, B. C. (2019). Attention is not Explanation. NAACL.", "1902.10186"),
        Reference(
            "Levesque, H. J., Davis, E. & Morgenstern, L. (2012). The Winograd Schema Challenge. Principles of Knowledge "
            "Representation and Reasoning, 552–561."
        ),
        Reference("McDougall, C. et al. (2023). ARENA: exercises in mechanistic interpretability."),
        _on_arxiv("Michel, P., Levy, O. & Neubig, G. (2019). Are Sixteen Heads Really Better than One? NeurIPS.", "1905.10650"),
        _on_arxiv("Olsson, C. et al. (2022). In-context Learning and Induction Heads. Transformer Circuits Thread.", "2209.11895"),
        _on_arxiv(
            "Vig, J. & Belinkov, Y. (2019). Analyzing the Structure of Attention in a Transformer Language Model. BlackboxNLP at "
            "ACL.",
            "1906.04284",
        ),
        _on_arxiv(
            "Voita, E., Talbot, D., Moiseev, F., Sennrich, R. & Titov, I. (2019). Analyzing Multi-Head Self-Attention: Specialized "
            "Heads Do the Heavy Lifting, the Rest Can Be Pruned. ACL.",
            "1905.09418",
        ),
        _on_arxiv(
            "Wang, K., Variengien, A., Conmy, A., Shlegeris, B. & Steinhardt, J. (2022). Interpretability in the Wild: a Circuit "
            "for Indirect Object Identification in GPT-2 small.",
            "2211.00593",
        ),
        _on_arxiv("Wiegreffe, S. & Pinter, Y. (2019). Attention is not not Explanation. EMNLP.", "1908.04626"),
        _on_arxiv(
            "Wu, W., Wang, Y., Xiao, G., Peng, H. & Fu, Y. (2024). Retrieval Head Mechanistically Explains Long-Context "
            "Factuality.",
            "2404.15574",
        ),
    )
)
