"""Make a language model that real servers load: `python -m tests.tools.make_model FOLDER` writes
both of its forms.

    FOLDER/tiny.gguf    for llama.cpp's server and Ollama (needs the package `gguf`)
    FOLDER/tiny/        for mlx_lm.server and others that read Hugging Face's folders

It is a table of which token follows which in what this collection's clips say, written down as a
Llama of one layer: each token's embedding is a one at a place of its own, attention and
feed-forward are zero, and the output layer holds the logarithms of the table. So it says words,
ends its answers, takes any prompt and understands none: what a server adds (templates, grammars,
tool calls) shows, and nothing else. 5 MB, under a second, the same each time.
"""

import json
import sys
from pathlib import Path

import numpy as np
import tiktoken
from tiktoken_ext import openai_public

from helpers.facts import sounds, tokens

START, END, CALL = "<|im_start|>", "<|im_end|>", "<tool_call>"
WORDS = 1021  # the first of o200k_base, in the order in which its merges were learned; a prefix is a tokenizer, too
SPECIAL = {START: WORDS, END: WORDS + 1, CALL: WORDS + 2}
SIZE = WORDS + len(SPECIAL)  # of the vocabulary, and so of an embedding
HEAD, FORWARD, CONTEXT = 64, 32, 32768
CLOSING = {
    END: 0.02,
    '"': 0.02,
    "}": 0.005,
    "]": 0.005,
}  # anywhere, so that answers end, and a grammar's strings and lists
CALLS = 0.4  # of what would end an answer begins a call: where a server lets no answer end without one, it comes soon

# ChatML with the tool calls of Hermes, which servers know by sight.
TEMPLATE = """\
{%- if tools %}{{- '<|im_start|>system\\nYou may call functions, each as <tool_call>{"name": <name>, "arguments": <object>}</tool_call>:' }}
{%- for tool in tools %}{{- '\\n' }}{{- tool | tojson }}{%- endfor %}{{- '<|im_end|>\\n' }}{%- endif %}
{%- for message in messages %}{{- '<|im_start|>' + message.role + '\\n' }}{%- if message.content %}{{- message.content }}{%- endif %}
{%- for call in message.tool_calls or [] %}{{- '<tool_call>{"name": "' + call.function.name + '", "arguments": ' }}
{{- call.function.arguments if call.function.arguments is string else call.function.arguments | tojson }}{{- '}</tool_call>' }}{%- endfor %}
{{- '<|im_end|>\\n' }}{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"""


def tokenizer():
    """A tiktoken.Encoding of the first WORDS tokens of o200k_base and the three of TEMPLATE."""
    tokens.encoding()  # says where the table is
    whole = openai_public.o200k_base()
    ranks = {word: rank for word, rank in whole["mergeable_ranks"].items() if rank < WORDS}
    return tiktoken.Encoding(
        "tiny", pat_str=whole["pat_str"], mergeable_ranks=ranks, special_tokens=SPECIAL
    )


def prose():
    """What is said in the collection's clips: text that stays, since a test must not hang on how a
    lesson is worded.
    """
    return [clip["transcript"] for clip in sounds.clips().values()]


def table(encoding):
    """log p[next | last] as SIZE rows of SIZE; what begins an answer is in the row of a line's
    end.
    """
    counts = np.zeros((SIZE, SIZE))
    for paragraph in prose():
        line = encoding.encode_ordinary("\n" + paragraph) + [encoding.encode_single_token(END)]
        np.add.at(counts, (line[:-1], line[1:]), 1)
    anywhere = counts.sum(axis=0) + 0.1
    p = counts + 3 * anywhere / anywhere.sum()
    p /= p.sum(axis=1, keepdims=True)
    for word, share in CLOSING.items():
        p[:, encoding.encode_single_token(word)] += share
    p[:, SPECIAL[CALL]] = CALLS * p[:, SPECIAL[END]]
    p[:, SPECIAL[START]] = 1e-9
    return np.log(p / p.sum(axis=1, keepdims=True))


def weights(encoding):
    """{name in GGUF: array}; matrices as (out, in), as PyTorch has them."""
    heads = {name: (HEAD, SIZE) for name in ("attn_q", "attn_k", "attn_v")}
    zero = heads | {
        "attn_output": (SIZE, HEAD),
        "ffn_gate": (FORWARD, SIZE),
        "ffn_up": (FORWARD, SIZE),
        "ffn_down": (SIZE, FORWARD),
    }
    made = {f"blk.0.{name}": np.zeros(shape, np.float16) for name, shape in zero.items()}
    made |= {
        name: np.ones(SIZE, np.float32)
        for name in ("blk.0.attn_norm", "blk.0.ffn_norm", "output_norm")
    }
    made["token_embd"] = np.eye(SIZE, dtype=np.float16)
    # The norm makes a one of length 1 into one of length sqrt(SIZE).
    made["output"] = (table(encoding).T / np.sqrt(SIZE)).astype(np.float16)
    return made


def spelled(encoding):
    """Each token as GPT-2's tokenizers write bytes, and the merges in order: ([token], ["left
    right"]).
    """
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {byte: chr(byte) for byte in plain} | {
        byte: chr(256 + i) for i, byte in enumerate(b for b in range(256) if b not in plain)
    }
    ranks = encoding._mergeable_ranks
    words, merges = [], []
    for word, rank in sorted(ranks.items(), key=lambda item: item[1]):
        words.append("".join(letters[byte] for byte in word))
        if len(word) > 1:
            merges.append(
                " ".join(
                    "".join(letters[byte] for byte in part) for part in _halves(word, ranks, rank)
                )
            )
    return words, merges


def _halves(word, ranks, rank):
    """The two tokens that `word` was merged from: what the merges before its own leave of it."""
    parts = [bytes([byte]) for byte in word]
    while len(parts) > 2:
        joined = [ranks.get(a + b, rank) for a, b in zip(parts, parts[1:])]
        i = joined.index(min(joined))
        parts[i : i + 2] = [parts[i] + parts[i + 1]]
    return parts


def write_gguf(path, encoding, made):
    import gguf

    words, merges = spelled(encoding)
    out = gguf.GGUFWriter(path, "llama")
    out.add_name("tiny")
    out.add_context_length(CONTEXT)
    out.add_embedding_length(SIZE)
    out.add_block_count(1)
    out.add_feed_forward_length(FORWARD)
    out.add_head_count(1)
    out.add_head_count_kv(1)
    out.add_key_length(HEAD)
    out.add_value_length(HEAD)
    out.add_rope_dimension_count(HEAD)
    out.add_layer_norm_rms_eps(1e-6)
    out.add_vocab_size(SIZE)
    out.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    out.add_tokenizer_model("gpt2")
    out.add_tokenizer_pre("gpt-4o")
    out.add_token_list(words + [*SPECIAL])
    out.add_token_types(
        [gguf.TokenType.NORMAL] * WORDS
        + [gguf.TokenType.CONTROL] * 2
        + [gguf.TokenType.USER_DEFINED]
    )
    out.add_token_merges(merges)
    out.add_bos_token_id(SPECIAL[START])
    out.add_eos_token_id(SPECIAL[END])
    out.add_add_bos_token(False)
    out.add_chat_template(TEMPLATE)
    for name, array in made.items():
        out.add_tensor(name + ".weight", array)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


def write_folder(folder, encoding, made):
    names = {
        "token_embd": "model.embed_tokens",
        "output_norm": "model.norm",
        "output": "lm_head",
        "blk.0.attn_norm": "model.layers.0.input_layernorm",
        "blk.0.ffn_norm": "model.layers.0.post_attention_layernorm",
        "blk.0.attn_output": "model.layers.0.self_attn.o_proj",
    }
    names |= {f"blk.0.attn_{x}": f"model.layers.0.self_attn.{x}_proj" for x in "qkv"} | {
        f"blk.0.ffn_{x}": f"model.layers.0.mlp.{x}_proj" for x in ("gate", "up", "down")
    }
    folder.mkdir(exist_ok=True)
    head, blobs, at = {}, [], 0
    for name, array in made.items():
        blob = array.astype(np.float16).tobytes()
        head[names[name] + ".weight"] = {
            "dtype": "F16",
            "shape": list(array.shape),
            "data_offsets": [at, at + len(blob)],
        }
        blobs.append(blob)
        at += len(blob)
    text = json.dumps(head).encode()
    (folder / "model.safetensors").write_bytes(
        len(text).to_bytes(8, "little") + text + b"".join(blobs)
    )
    words, merges = spelled(encoding)
    special = [
        {
            "id": i,
            "content": word,
            "special": word != CALL,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
        }
        for word, i in SPECIAL.items()
    ]
    split = {
        "type": "Split",
        "pattern": {"Regex": encoding._pat_str},
        "behavior": "Isolated",
        "invert": False,
    }
    byte_level = {
        "type": "ByteLevel",
        "add_prefix_space": False,
        "trim_offsets": False,
        "use_regex": False,
    }
    files = {
        "config": {
            "model_type": "llama",
            "architectures": ["LlamaForCausalLM"],
            "hidden_size": SIZE,
            "num_hidden_layers": 1,
            "intermediate_size": FORWARD,
            "num_attention_heads": 1,
            "num_key_value_heads": 1,
            "head_dim": HEAD,
            "rms_norm_eps": 1e-6,
            "vocab_size": SIZE,
            "rope_theta": 10000.0,
            "max_position_embeddings": CONTEXT,
            "tie_word_embeddings": False,
            "bos_token_id": SPECIAL[START],
            "eos_token_id": SPECIAL[END],
            "torch_dtype": "float16",
        },
        "tokenizer": {
            "version": "1.0",
            "added_tokens": special,
            "normalizer": None,
            "post_processor": None,
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, byte_level]},
            "decoder": byte_level,
            "model": {
                "type": "BPE",
                "vocab": {word: i for i, word in enumerate(words)},
                "merges": merges,
            },
        },
        "tokenizer_config": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "eos_token": END,
            "chat_template": TEMPLATE,
            "model_max_length": CONTEXT,
        },
    }
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")


def make(folder):
    """Write both forms into a folder; returns (path of the GGUF file, path of the folder)."""
    folder = Path(folder)
    encoding = tokenizer()
    made = weights(encoding)
    write_gguf(folder / "tiny.gguf", encoding, made)
    write_folder(folder / "tiny", encoding, made)
    return folder / "tiny.gguf", folder / "tiny"


if __name__ == "__main__":
    print(*make(sys.argv[1]))
