"""Token counts, against OpenAI's own table, counts returned by its API, and the examples of its
guides.
"""

import base64
import doctest
import hashlib
import os
import random
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from helpers.facts import plain_tokens, tokens

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "data" / "tokenizer" / "fb374d419588a4632f3f557e76b4b70aebbca790"


def test_examples_in_docstrings():
    assert doctest.testmod(tokens).failed == 0


def test_the_table_is_openais():
    assert (
        hashlib.sha256(TABLE.read_bytes()).hexdigest()
        == "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"
    )


def test_words_of_the_table_are_one_token():
    pieces = {base64.b64decode(line.split()[0]) for line in TABLE.read_bytes().splitlines()}
    for word in ("hello", " world", " tokens", " voice", " tax", "日本"):
        assert word.encode() in pieces
        assert tokens.count(word) == 1


@pytest.mark.parametrize(
    "text",
    ["", "Line 11: $9,325.\n\n  ½", "Грюезі, 東京! 🙂", "<|endoftext|> is text here", "\r\n\t"],
)
def test_nothing_is_lost(text):
    codec = tokens.encoding()
    assert codec.decode(codec.encode(text, disallowed_special=())) == text


@pytest.fixture(scope="module")
def plain():
    return plain_tokens.Encoding()


def test_python_counts_as_tiktoken_does(plain):
    chance = random.Random(9)
    assigned = [chr(n) for n in range(0x110000) if unicodedata.category(chr(n)) != "Cn"]
    alphabets = (
        "abAB'sSt \n\r\t 019.,/!é日\u0301\u200b\x1c\x85\xa0\u2028",
        assigned[:12_000],
        assigned,  # halves of characters, too
    )
    texts = [path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("helpers/facts/*.py"))]
    texts += [
        "".join(chance.choices(alphabet, k=chance.randrange(60)))
        for alphabet in alphabets
        for _ in range(500)
    ]
    for text in texts:
        counted = plain.encode(text)
        assert counted == tokens.encoding().encode(text, disallowed_special=()), repr(text[:60])
        assert plain.decode(counted) == tokens.encoding().decode(counted)


def test_python_does_not_choke_on_one_long_word(plain):
    word = "a" * 20_000
    assert plain.encode(word) == tokens.encoding().encode(word)


def test_special_tokens_in_a_message_are_text():
    assert tokens.count("<|endoftext|>") > 1


def test_a_long_text_is_counted_as_a_short_one_is(monkeypatch):
    text = "ab é漢🙂 <|endoftext|>\ud800 1234\n" * 50
    short = tokens.count(text)
    monkeypatch.setattr(tokens, "LONG", 100)
    assert tokens.count(text) == short


# The messages of OpenAI's cookbook, "How to count tokens with tiktoken" (MIT licence), for which
# its API answered prompt_tokens 124 with gpt-4o and gpt-4o-mini.
COOKBOOK = [
    {
        "role": "system",
        "content": "You are a helpful, pattern-following assistant that translates corporate jargon into plain English.",
    },
    {
        "role": "system",
        "name": "example_user",
        "content": "New synergies will help drive top-line growth.",
    },
    {
        "role": "system",
        "name": "example_assistant",
        "content": "Things working well together will increase revenue.",
    },
    {
        "role": "system",
        "name": "example_user",
        "content": "Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage.",
    },
    {
        "role": "system",
        "name": "example_assistant",
        "content": "Let's talk later when we're less busy about how to do better.",
    },
    {
        "role": "user",
        "content": "This late pivot means we don't have time to boil the ocean for the client deliverable.",
    },
]


def test_the_cookbooks_messages_count_as_the_api_counted_them():
    assert tokens.chat_tokens(COOKBOOK) == 124


def test_content_in_parts_counts_as_the_same_text():
    parts = [m | {"content": [{"type": "text", "text": m["content"]}]} for m in COOKBOOK]
    assert tokens.chat_tokens(parts) == 124
    picture = {"type": "image_url", "image_url": {"url": "https://example.com/form.png"}}
    assert tokens.chat_tokens(
        [{"role": "user", "content": [{"type": "text", "text": "hello"}, picture]}]
    ) == tokens.chat_tokens([{"role": "user", "content": "hello"}])


def test_a_message_without_content_has_only_its_frame():
    assert tokens.chat_tokens([{"role": "assistant", "content": None}]) == 3 + 1 + 3


@pytest.mark.parametrize(
    "width, height, detail, model, expected",
    [
        (1024, 1024, "high", "gpt-4o", 765),  # these three are the guide's examples
        (2048, 4096, "high", "gpt-4o", 1105),
        (4096, 8192, "low", "gpt-4o", 85),
        (1024, 1024, "high", "o1-2024-12-17", 675),
        (512, 512, "high", "o1", 225),  # one tile; nothing is scaled up
        (513, 512, "high", "o1", 375),
        (4096, 1024, "high", "o1", 675),  # 2048 x 512: four tiles in a row
        (1, 100000, "high", "o1", 675),
        (1024, 1024, "high", "gpt-4o-mini-2024-07-18", 25501),
        (1024, 1024, "high", "gpt-5", 630),
    ],
)
def test_pictures(width, height, detail, model, expected):
    assert tokens.image_tokens(width, height, detail, model) == expected


@pytest.mark.parametrize(
    "model", ["o1-preview", "o1-mini", "gpt-4.1-mini", "o4-mini", "gpt-realtime"]
)
def test_models_without_tiles_are_an_error(model):
    with pytest.raises(LookupError, match=model):
        tokens.image_tokens(100, 100, "high", model)


@pytest.mark.parametrize("size", [(0, 10), (10, 0), (-5, 10)])
def test_a_picture_has_a_size(size):
    with pytest.raises(ValueError, match="1 or more"):
        tokens.image_tokens(*size, "high", "o1")


def test_detail_is_low_or_high():
    with pytest.raises(ValueError, match="auto"):
        tokens.image_tokens(10, 10, "auto", "o1")


@pytest.mark.parametrize(
    "seconds, who, expected",
    [
        (0, "user", 0),
        (2, "user", 20),
        (1.1, "user", 11),
        (1.25, "assistant", 25),
        (0.01, "user", 1),
    ],
)
def test_sound(seconds, who, expected):
    assert tokens.audio_tokens(seconds, who) == expected


def test_sound_needs_a_known_speaker_and_a_time():
    with pytest.raises(ValueError, match="system"):
        tokens.audio_tokens(1, "system")
    with pytest.raises(ValueError, match="-1"):
        tokens.audio_tokens(-1, "user")


COUNT_OFFLINE = """
import os, socket
def refuse(*args, **kwargs):
    raise OSError("no network in this test")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
from helpers import tokens
print(tokens.count("hello world"), os.environ["TIKTOKEN_CACHE_DIR"])
"""


def counted_offline(**environment):
    clean = {k: v for k, v in os.environ.items() if k != "TIKTOKEN_CACHE_DIR"}
    return subprocess.run(
        [sys.executable, "-c", COUNT_OFFLINE],
        env=clean | environment,
        capture_output=True,
        text=True,
    )


def test_counting_needs_no_network():
    done = counted_offline()
    assert done.stdout.split(maxsplit=1) == ["2", f"{TABLE.parent}\n"], done.stderr


def test_a_cache_folder_of_the_users_own_is_kept(tmp_path):
    (tmp_path / TABLE.name).write_bytes(TABLE.read_bytes())
    done = counted_offline(TIKTOKEN_CACHE_DIR=str(tmp_path))
    assert done.stdout.split(maxsplit=1) == ["2", f"{tmp_path}\n"], done.stderr


def test_a_short_text_is_counted_without_tiktoken():
    code = (
        "import sys; from helpers.facts import tokens; tokens.count_only();"
        "print(tokens.count('hello world'), 'tiktoken' in sys.modules, end=' ');"
        "print(tokens.count('hello world ' * 400) == 800 + 1)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert said.stdout.split() == ["2", "False", "True"], said.stderr


def test_counting_needs_no_copy_of_the_table():
    text = "Which day of the week was 2024-12-17? 漢字 🙂"
    code = (
        "from helpers.facts import tokens; tokens.count_only(); made = tokens.encoding();"
        f"there = made.encode({text!r}); assert made.decode(there) == {text!r};"
        "assert not getattr(made, '_mergeable_ranks', None); print(len(there))"
    )
    said = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", code], capture_output=True, text=True, cwd=ROOT
    )
    assert said.stdout.strip() == str(tokens.count(text)), said.stderr
