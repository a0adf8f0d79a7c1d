"""Runs in the peers' interpreter, which need not know attnviz: one request a line as JSON on stdin, one answer a line on stdout.

    {"do": "open", "model": FOLDER}                                        -> {}
    {"do": "passes", "model": FOLDER, "ids": [...], "n": 3}                -> {"ms": [...]}      after one that is not counted
    {"do": "attention", "model": FOLDER, "ids": [...], "to": FILE}         -> {}                 [layer, head, query, key] as .npy
    {"do": "head_view", "model": FOLDER, "ids": [...], "tokens": [...], "layer": 4, "to": FILE} -> {"ms": …, "bytes": …}

The first line that it prints says what it has: {"versions": {...}, "missing": [...]}.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
from importlib.metadata import version
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
NEEDED = ("torch", "transformers", "bertviz")


def main() -> None:
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    say({"versions": {name: version(name) for name in NEEDED if name not in missing}, "missing": missing})
    if missing:
        return
    import torch
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.set_num_threads(int(sys.argv[1]))
    models: dict = {}
    for line in sys.stdin:
        request = json.loads(line)
        path = request["model"]
        if path not in models:
            models[path] = open_model(path)
        with torch.inference_mode():
            say(ACTIONS[request["do"]](models[path], request))


def say(answer: dict) -> None:
    print(json.dumps(answer), flush=True)


def open_model(path: str):
    """The layers of a model without its prediction head, as attnviz runs them until somebody asks for predictions."""
    import torch
    from transformers import AutoModel

    return AutoModel.from_pretrained(path, attn_implementation="eager", dtype=torch.float32).eval()


def attend(model, ids):
    """All attention of all layers; without a cache of keys, which one pass does not need."""
    causal = {"use_cache": False} if getattr(model.config, "use_cache", False) else {}
    return model(input_ids=ids, output_attentions=True, output_hidden_states=True, **causal)


def opened(model, request) -> dict:
    return {}


def passes(model, request) -> dict:
    import torch

    ids, times = torch.tensor([request["ids"]]), []
    for _ in range(request["n"] + 1):
        started = time.perf_counter()
        attend(model, ids)
        times.append(1000 * (time.perf_counter() - started))
    return {"ms": times[1:]}


def attention(model, request) -> dict:
    import numpy as np
    import torch

    layers = attend(model, torch.tensor([request["ids"]])).attentions
    np.save(request["to"], np.stack([layer[0].numpy() for layer in layers]))
    return {}


def head_view(model, request) -> dict:
    """BertViz's page of one layer with all heads; the other layers are in it too, so that it can change to them."""
    import torch
    from bertviz import head_view as show

    layers = attend(model, torch.tensor([request["ids"]])).attentions
    started = time.perf_counter()
    page = show(layers, list(request["tokens"]), layer=request["layer"], html_action="return").data
    taken = 1000 * (time.perf_counter() - started)
    Path(request["to"]).write_text(page, encoding="utf-8")
    return {"ms": taken, "bytes": len(page.encode())}


ACTIONS = {"open": opened, "passes": passes, "attention": attention, "head_view": head_view}

if __name__ == "__main__":
    main()
