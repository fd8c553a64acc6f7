"""A model of the real one's kind, too small to say anything, with random weights."""

import numpy as np

from helpers.local_api.tuning.real.network import Model, Text
from helpers.local_api.tuning.real.weights import Shape

SHAPE = Shape(layers=3, heads=4, kv_heads=2, head=6, epsilon=1e-5, theta=10_000.0)
WIDTH, INNER, TOKENS = 24, 40, 50


def weights(seed=0):
    draw = np.random.default_rng(seed)
    made = lambda *size: (draw.standard_normal(size) / np.sqrt(size[-1])).astype("f4")
    kv = SHAPE.kv_heads * SHAPE.head
    found = {"token_embd.weight": made(TOKENS, WIDTH) * 5, "output_norm.weight": 1 + made(WIDTH)}
    for n in range(SHAPE.layers):
        sizes = {"attn_q": (WIDTH, WIDTH), "attn_k": (kv, WIDTH), "attn_v": (kv, WIDTH)}
        sizes |= {"attn_output": (WIDTH, WIDTH), "ffn_gate": (INNER, WIDTH)}
        sizes |= {"ffn_up": (INNER, WIDTH), "ffn_down": (WIDTH, INNER)}
        found |= {f"blk.{n}.{name}.weight": made(*size) for name, size in sizes.items()}
        found |= {f"blk.{n}.{name}.weight": 1 + made(WIDTH) for name in ("attn_norm", "ffn_norm")}
    return found


def model(upper=2, seed=1):
    return Model(weights(), SHAPE, upper, seed)


def example(seed, *sizes):
    """A prompt of 7 tokens, and answers of these sizes."""
    draw = np.random.default_rng(seed)
    some = lambda n: draw.integers(0, TOKENS, n).tolist()
    return some(7), [some(n) for n in sizes]


def said(model, example):
    """[log-probabilities of each answer]"""
    text = Text(*example)
    return model.above(model.below([text])[0], text).logprobs
