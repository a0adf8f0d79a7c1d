"""How many threads NumPy's matrix products use."""

from __future__ import annotations

from functools import cache

from threadpoolctl import ThreadpoolController


@cache
def keep_to_one_thread() -> None:
    """Have this process's matrix products run on one thread from now on.

    OpenBLAS's threads wait for each other by spinning, and where other programs use the processors too they wait long: on two
    cores with two busy ones beside it a run of 15 tokens took 864 ms on two threads and 9 on one, one of 500 tokens 2,212 and
    243. On a quiet machine one thread costs 3 ms at 15 tokens and 55 at 500.
    """
    ThreadpoolController().limit(limits=1, user_api="blas")
