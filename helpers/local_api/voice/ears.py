"""Ears: English speech to words, by Moonshine tiny (27 million weights, MIT) in onnxruntime.

The weights come in the wheel of moonshine-voice, of which nothing else is used (data/README.md has
their hashes). Its encoder takes the samples themselves; its decoder writes one token after the
other, and which text is the likeliest is known at its end.
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
WIDTH = 4  # beginnings of a text; with one alone a fifth to a third more words are wrong
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
        """(words, how sure): float32 at 16 kHz, as a text and the mean log-probability of its
        tokens, from 0 down. ("", 0.0) for less than a quarter of a second.
        """
        if len(samples) < SHORTEST:
            return "", 0.0
        most = int(len(samples) / RATE * TOKENS_A_SECOND) + 4
        tokens, sure = max(self._texts(np.asarray(samples, "f4")[None], most), key=lambda t: t[1])
        raw = b"".join(self.words[token] for token in tokens if token > END)
        return raw.decode("utf-8", "replace").replace("▁", " ").strip(), float(sure)

    def _texts(self, sound, most):
        """[(tokens, their mean log-probability)] that a search along a beam finds: each step goes
        on with the WIDTH likeliest beginnings. most: tokens of a text.
        """
        mask = np.ones(sound.shape, np.int64)
        [state] = self.encoder.run(None, {"input_values": sound, "attention_mask": mask})
        # the mask is that of the sound: the decoder takes every 384th
        heard = {"encoder_attention_mask": mask, "encoder_hidden_states": state}
        past = {name: np.zeros((0, HEADS, 1, SIZE), "f4") for name in self.memory}
        begun, sums, ended = [[START]], np.zeros(1), []
        for step in range(1, most + 1):
            last = np.array([tokens[-1:] for tokens in begun])
            logits, *kept = self.decoder.run(
                None, {"input_ids": last, "use_cache_branch": np.array([step > 1])} | heard | past
            )
            scores = logits[:, -1].astype("f8")
            scores -= scores.max(1, keepdims=True)
            scores += (sums - np.log(np.exp(scores).sum(1)))[:, None]
            # no more than one in each row is an end, so that WIDTH are left to go on with
            best = np.argpartition(scores, -2 * WIDTH, axis=None)[-2 * WIDTH :]
            rows, tokens = np.unravel_index(
                best[np.argsort(-scores.flat[best], kind="stable")], scores.shape
            )
            going = np.flatnonzero(tokens != END)[:WIDTH]
            for i in np.flatnonzero(tokens[: going[-1]] == END):
                ended.append((begun[rows[i]], scores[rows[i], END] / step))
            rows, tokens = rows[going], tokens[going]
            sums = scores[rows, tokens]
            begun = [[*begun[row], int(token)] for row, token in zip(rows, tokens)]
            if len(ended) >= WIDTH:
                return ended
            for name, value in zip(self.memory, kept):
                if step == 1 or "decoder" in name:  # what they took of the sound stays as it was
                    past[name] = value[rows]
            if step == 1:
                heard = {name: np.repeat(value, WIDTH, 0) for name, value in heard.items()}
        return ended + [(tokens, total / most) for tokens, total in zip(begun, sums)]
