"""Ears: English speech to words, by Moonshine tiny (27 million weights, MIT) in onnxruntime.

The weights come in the wheel of moonshine-voice, of which nothing else is used (data/README.md has
their hashes). Its encoder takes the samples themselves; its decoder writes one token after the
other, the likeliest each time.
"""

import importlib.util
import os
from pathlib import Path

import numpy as np

# Its releases from 1.29 on keep a list of what they run in a file, and send it to Microsoft.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
import onnxruntime

RATE = 16_000  # samples a second
LAYERS, HEADS, SIZE = 6, 8, 36  # of the decoder's memory
START, END = 1, 2  # tokens
TOKENS_A_SECOND = 6.5  # the most that the model's authors let it write
SHORTEST = RATE // 4  # samples: less holds no word, and the model makes one up


def session(path, threads=1):
    """An onnxruntime session of a model that leaves the other core to those who speak."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    options.enable_cpu_mem_arena = False  # would keep what the longest sentence needed
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def folder():
    """Where the weights lie, without importing the package, which wants a microphone."""
    found = importlib.util.find_spec("moonshine_voice")
    return Path(found.submodule_search_locations[0]) / "assets" / "tiny-en"


def vocabulary(raw):
    """[bytes of each token] of tokenizer.bin: a length in one byte or two, then the token."""
    at, found = 0, []
    while at < len(raw):
        n, at = raw[at], at + 1
        if n >= 128:
            n, at = n - 128 + raw[at] * 128, at + 1
        found.append(raw[at : at + n])
        at += n
    return found


class Ears:
    """Loads the model once; call it with sound. 1 s to load, some 140 MB."""

    def __init__(self):
        self.encoder, self.decoder = (
            session(folder() / name) for name in ("encoder_model.ort", "decoder_model_merged.ort")
        )
        self.words = vocabulary((folder() / "tokenizer.bin").read_bytes())
        self.memory = [
            f"past_key_values.{layer}.{part}.{what}"
            for layer in range(LAYERS)
            for part in ("decoder", "encoder")
            for what in ("key", "value")
        ]

    def __call__(self, samples):
        """(words, how sure): float32 at 16 kHz, as a text and the mean
        log-probability of its tokens, from 0 down. ("", 0.0) for less than a quarter of a second.
        """
        if len(samples) < SHORTEST:
            return "", 0.0
        sound = np.asarray(samples, "f4")[None]
        mask = np.ones(sound.shape, np.int64)
        [state] = self.encoder.run(None, {"input_values": sound, "attention_mask": mask})
        past = {name: np.zeros((0, HEADS, 1, SIZE), "f4") for name in self.memory}
        tokens, sure = [START], []
        for _ in range(int(len(samples) / RATE * TOKENS_A_SECOND) + 4):
            first = len(tokens) == 1
            logits, *kept = self.decoder.run(
                None,
                {
                    "encoder_attention_mask": mask,  # of the sound: the decoder takes every 384th
                    "input_ids": np.array([tokens[-1:]]),
                    "encoder_hidden_states": state,
                    "use_cache_branch": np.array([not first]),
                }
                | past,
            )
            scores = logits[0, -1].astype("f8")
            tokens.append(int(scores.argmax()))
            sure.append(-float(np.log(np.exp(scores - scores.max()).sum())))
            if tokens[-1] == END:
                break
            past |= {
                name: value
                for name, value in zip(self.memory, kept)
                if first or "decoder" in name  # what it took of the sound stays as it was
            }
        raw = b"".join(self.words[t] for t in tokens if t > END)
        words = raw.decode("utf-8", "replace").replace("▁", " ").strip()
        return words, sum(sure) / len(sure)
