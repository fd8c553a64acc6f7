"""A language model that is really tuned: SmolLM2-135M, trained by LoRA in NumPy, served by
llama.cpp. Optional: `start.py lab --model` installs it.

    weights.py    the model's file: its shape and its matrices; adapters, read and written
    network.py    its layers with an adapter beside each matrix: forwards, and backwards
    training.py   DPO and supervised training of the adapters     } in a child process,
    __main__.py   the two children                                } as is llama.cpp
    child.py      how a child is started, asked and ended
    learner.py    what a fine-tuning job wants of it (job.py)
    kept.py       the reader's tuned models on the disk
    writer.py     llama.cpp as a child, with all adapters that are kept
    chat.py       Chat Completions that are written, and checked before
"""

from ....common.left_out import LANGUAGE_MODEL

BASE = LANGUAGE_MODEL
NAME = "SmolLM2-135M"
