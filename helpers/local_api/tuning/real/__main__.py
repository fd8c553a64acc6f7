"""The two children (child.py): `train` makes a step a line, `serve` is llama.cpp's own server.

Each answers a line of JSON with a line of JSON, the first with the task.
"""

import base64
import json
import os
import sys

import psutil

from ...apart import lines


def train(task):
    """Yields a dict a step; `adapter` at the end of an epoch: the bytes of its file, in base64."""
    from . import weights
    from .network import Model
    from .training import Training

    file = weights.Weights(task["weights"])
    start = weights.adapter_parts(task["start"]) if task["start"] else None
    model = Model(file, file.shape, task["upper"], task["seed"], start)
    asked = [task[name] for name in ("examples", "method", "hyperparameters", "seed", "held")]
    training = Training(model, *asked)
    yield {}
    for step in training.steps():
        made = weights.adapter_bytes(model.parts()) if step["ends_epoch"] else b""
        yield step | {"adapter": base64.b64encode(made).decode()}


def serve(task):
    """Yields the address, and serves until it is asked again."""
    import xllamacpp

    settings = xllamacpp.CommonParams()
    settings.model.path = task["weights"]
    settings.hostnames, settings.port, settings.api_keys = ["127.0.0.1"], 0, [task["key"]]
    settings.n_ctx, settings.n_parallel, settings.n_predict = task["context"], 1, task["longest"]
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = 1
    settings.n_threads_http = 2
    settings.verbosity = 1  # errors
    settings.warmup, settings.ui, settings.cache_ram_mib = False, False, 0
    settings.lora_init_without_apply = True  # each request says which
    adapters = []
    for path in task["adapters"]:
        one = xllamacpp.CommonAdapterLoraInfo()
        one.path, one.scale = path, 0.0
        adapters.append(one)
    settings.lora_adapters = adapters
    server = xllamacpp.Server(settings)
    yield {"url": server.listening_address}


def main():
    # what a library prints must not get between the answers
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS if os.name == "nt" else 10)
    work = None
    for line in lines():
        try:
            if work is None:
                work = {"train": train, "serve": serve}[sys.argv[1]](json.loads(line))
            said = next(work)
        except Exception as e:  # told to whoever asked
            said = {"fault": f"{type(e).__name__}: {e}"}
        out.write(json.dumps(said).encode() + b"\n")
        out.flush()


if __name__ == "__main__":
    main()
