"""What a response is billed: everything said so far is its input, each time again, less what was
sent before unchanged.

Text is counted with o200k_base, sound by OpenAI's rule (tokens.AUDIO_MS). The tools count as their
JSON text, the frame of each message as 3 tokens: estimates, since their form in the prompt is not
published. So is the caching: what the conversation's last response had as input counts as cached as
far as it is unchanged, in blocks of 64.
"""

import json

from ...facts import sounds, tokens

BLOCK = 64


def head(instructions, tools):
    """(what stands before a response's input, its text tokens, 0 audio tokens)."""
    said = instructions + "".join(
        json.dumps(tool, sort_keys=True, ensure_ascii=False) for tool in tools
    )
    return said, tokens.count(said), 0


def prompt(head, items):
    """[(what it is, text tokens, audio tokens)] of a response's input, in order."""
    return [head] + [(item.id + item.words, *item.weight()) for item in items]


def cached(now, before):
    """(text, audio) tokens of a prompt that come from the cache, given the prompt before it."""
    same = 0
    while same < min(len(now), len(before)) and now[same] == before[same]:
        same += 1
    left = sum(text + audio for _, text, audio in now[:same]) // BLOCK * BLOCK
    text_cached = audio_cached = 0
    for _, text, audio in now[:same]:
        text_cached += (taken := min(text, left))
        audio_cached += (more := min(audio, left - taken))
        left -= taken + more
    return text_cached, audio_cached


def usage(now, before, text_out, audio_out):
    """The `usage` of a response.done, in the GA shape."""
    text_in, audio_in = sum(text for _, text, _ in now), sum(audio for _, _, audio in now)
    text_cached, audio_cached = cached(now, before)
    return {
        "total_tokens": text_in + audio_in + text_out + audio_out,
        "input_tokens": text_in + audio_in,
        "output_tokens": text_out + audio_out,
        "input_token_details": {
            "text_tokens": text_in,
            "audio_tokens": audio_in,
            "image_tokens": 0,
            "cached_tokens": text_cached + audio_cached,
            "cached_tokens_details": {
                "text_tokens": text_cached,
                "audio_tokens": audio_cached,
                "image_tokens": 0,
            },
        },
        "output_token_details": {"text_tokens": text_out, "audio_tokens": audio_out},
    }


def transcription(model, pcm, said):
    """By length for the models sold by length, else by tokens (captures of September 2026 have the
    latter for gpt-4o-mini-transcribe).
    """
    if "whisper" in model:
        return {"type": "duration", "seconds": round(len(pcm) / 2 / sounds.RATE, 2)}
    heard, words = tokens.audio_tokens(sounds.ms(pcm) / 1000, "user"), tokens.count(said)
    return {
        "type": "tokens",
        "total_tokens": heard + words,
        "input_tokens": heard,
        "input_token_details": {"text_tokens": 0, "audio_tokens": heard},
        "output_tokens": words,
    }
