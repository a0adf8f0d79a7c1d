"""Runs in the peers' interpreter, once: opens a folder with transformers, has the attention of one text, and says how long it took.

once.py FOLDER TEXT [--threads N] [--dtype float32] [--limit BYTES] prints {"at": when the attention was there, by the clock on the
wall, "open": seconds, "attention": seconds, both without the imports, "peak": bytes}. --limit holds the address space.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time

os.environ["HF_HUB_OFFLINE"] = "1"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("text")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--limit", type=int)
    options = parser.parse_args()

    import torch
    from transformers import AutoModel, AutoTokenizer

    torch.set_num_threads(options.threads)
    if options.limit is not None:
        resource.setrlimit(resource.RLIMIT_AS, (options.limit, options.limit))
    dtype = getattr(torch, options.dtype)
    started = time.perf_counter()
    try:
        tokenizer = AutoTokenizer.from_pretrained(options.folder)
        model = AutoModel.from_pretrained(options.folder, attn_implementation="eager", dtype=dtype).eval()
        opened = time.perf_counter()
        with torch.inference_mode():
            attention = model(tokenizer(options.text, return_tensors="pt").input_ids, output_attentions=True).attentions
        assert bool(torch.isfinite(attention[-1]).all())
    except (MemoryError, RuntimeError, OSError) as error:
        print(f"{type(error).__name__}: {next(iter(str(error).splitlines()), 'no memory')}", file=sys.stderr)
        return 1
    attended = time.perf_counter()
    print(json.dumps({"at": time.time(), "open": opened - started, "attention": attended - opened, "peak": peak()}))
    return 0


def peak() -> int:
    """The most memory that this process has held, in bytes. Linux's ru_maxrss would begin with what its parent held at the fork."""
    import resource

    try:
        with open("/proc/self/status", encoding="utf-8") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    raise SystemExit(main())
