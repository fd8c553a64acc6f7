"""What a session can be set to, what it starts with, and what a response may change of it.

Shapes and defaults: openai 3.54.0, types/realtime; of what changes nothing, by published.py.
Captures of September 2026 show a silence of 200 ms by default where its text says 500; here it is
500. What is accepted and changes nothing here:
noise_reduction, tracing, include, prompt, truncation, reasoning, the transcription's language and
prompt, a voice of one's own. A session of type "transcription" hears and never answers.
"""

from .. import published
from ..checks import (
    Bad,
    anything,
    array,
    by,
    choice,
    each,
    either,
    flag,
    identifier,
    mapping,
    metadata,
    number,
    optional,
    text,
    thing,
)

REALTIME, TRANSCRIPTION = "realtime", "transcription"  # the types of a session
VOICES = ("alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar")
TRANSCRIBERS = (  # openai 3.54.0, types/realtime/audio_transcription.py
    "whisper-1",
    "gpt-transcribe",
    "gpt-live-transcribe",
    "gpt-4o-mini-transcribe",
    "gpt-4o-mini-transcribe-2025-12-15",
    "gpt-4o-transcribe",
    "gpt-4o-transcribe-diarize",
    "gpt-realtime-whisper",
)
SESSION_SECONDS = 3600
# Ours; shown in session.created, where OpenAI's own default instructions would stand.
INSTRUCTIONS = (
    "You are answered by constructed recordings on this machine. No model listens or speaks here."
)
EAGERNESS = {
    "low": 8000,
    "medium": 4000,
    "auto": 4000,
    "high": 2000,
}  # ms of silence after which the turn ends in any case
SERVER_VAD = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 500,
    "idle_timeout_ms": None,
    "create_response": True,
    "interrupt_response": True,
}
OF_ANSWERS = {"create_response", "interrupt_response", "idle_timeout_ms"}  # of turn detection
SEMANTIC_VAD = {
    "type": "semantic_vad",
    "eagerness": "auto",
    "create_response": True,
    "interrupt_response": True,
}

_format = by(
    "type",
    {
        "audio/pcm": thing({"type": text, "rate": number(24_000, 24_000, whole=True)}),
        "audio/pcmu": thing({"type": text}),
        "audio/pcma": thing({"type": text}),
    },
)
_turns = by(
    "type",
    {
        "server_vad": thing(
            {
                "type": text,
                "threshold": number(0, 1),
                "prefix_padding_ms": number(0, 60_000, whole=True),
                "silence_duration_ms": number(0, 60_000, whole=True),
                "idle_timeout_ms": optional(number(1, 600_000, whole=True)),
                "create_response": flag,
                "interrupt_response": flag,
            }
        ),
        "semantic_vad": thing(
            {
                "type": text,
                "eagerness": choice(*EAGERNESS),
                "create_response": flag,
                "interrupt_response": flag,
            }
        ),
    },
)


_transcription = thing(
    {
        "model": choice(*TRANSCRIBERS),
        "language": optional(text),
        "prompt": optional(text),
        "delay": anything,
        "keywords": anything,
        "languages": anything,
    },
    needs=["model"],
)


_tool = by(
    "type",
    {
        "function": thing(
            {"type": text, "name": identifier, "description": text, "parameters": mapping},
            needs=["name"],
        ),
        "mcp": lambda value, at: published.item_of("realtime session", "tools")(value, at),
    },
)
_tool_choice = either(
    ("auto", "none", "required"),
    by(
        "type",
        {
            "function": thing({"type": text, "name": text}, needs=["name"]),
            "mcp": thing(
                {"type": text, "server_label": text, "name": optional(text)}, needs=["server_label"]
            ),
        },
    ),
)
_limit = either(("inf",), number(1, 4096, whole=True))


def _typed(key):
    """The check of a parameter by the SDK's type alone, which is read when one is first sent."""
    return lambda value, at: published.parameter("realtime session", key)(value, at)


def _modalities(value, at):
    array(value, at)
    if value not in (["audio"], ["text"]):
        raise Bad(
            f"Invalid modalities: {value}. Supported combinations are: ['text'] and ['audio'].",
            "invalid_value",
            at,
        )


_OF_BOTH = {
    "output_modalities": _modalities,
    "instructions": text,
    "tools": each(_tool),
    "tool_choice": _tool_choice,
    "max_output_tokens": _limit,
    "parallel_tool_calls": flag,
    "prompt": _typed("prompt"),
    "reasoning": _typed("reasoning"),
}
_noise_reduction = thing({"type": choice("near_field", "far_field"), "strength": number(0)})


def _voice(value, at):
    """One of theirs by name, or one of one's own by its id."""
    own = isinstance(value, dict)
    (thing({"id": text}, needs=["id"]) if own else choice(*VOICES))(value, at)


def _input(turns):
    return thing(
        {
            "format": _format,
            "transcription": optional(_transcription),
            "turn_detection": optional(turns),
            "noise_reduction": optional(_noise_reduction),
        }
    )


session_shape = by(
    "type",
    {
        REALTIME: thing(
            _OF_BOTH
            | {
                "type": text,
                "model": text,
                "tracing": _typed("tracing"),
                "truncation": _typed("truncation"),
                "include": _typed("include"),
                "audio": thing(
                    {
                        "input": _input(_turns),
                        "output": thing(
                            {"format": _format, "voice": _voice, "speed": number(0.25, 1.5)}
                        ),
                    }
                ),
            }
        ),
        TRANSCRIPTION: thing(
            {
                "type": text,
                "include": _typed("include"),
                "audio": thing({"input": _input(_turns)}),
            }
        ),
    },
)


def response_shape(item):
    """The check of a response.create's `response`; `item` checks one item of its input. Any part
    may be null: LiveKit's plugin sends its instructions so, each time.
    """
    parts = _OF_BOTH | {
        "conversation": choice("auto", "none"),
        "input": each(item),
        "metadata": metadata,
        "audio": thing({"output": thing({"format": _format, "voice": _voice})}),
    }
    return thing({name: optional(check) for name, check in parts.items()})


def started(id, model, created, asked=None):
    """A whole session object: the defaults, and over them what a client secret or a call asked for.
    `model`: None for a transcription session. Raises Bad.
    """
    pcm = {"type": "audio/pcm", "rate": 24_000}
    heard = {
        "format": pcm,
        "transcription": None,
        "noise_reduction": None,
        "turn_detection": SERVER_VAD,
    }
    if (asked or {}).get("type") == TRANSCRIPTION:
        session = {
            "type": TRANSCRIPTION,
            "object": "realtime.transcription_session",
            "id": id,
            "expires_at": created + SESSION_SECONDS,
            "audio": {"input": heard},
            "include": None,
        }
        return merged(session, asked)
    session = {
        "type": REALTIME,
        "object": "realtime.session",
        "id": id,
        "model": model,
        "output_modalities": ["audio"],
        "instructions": INSTRUCTIONS,
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "tracing": None,
        "truncation": "auto",
        "prompt": None,
        "expires_at": created + SESSION_SECONDS,
        "audio": {
            "input": heard,
            "output": {"format": pcm, "voice": "alloy", "speed": 1.0},
        },
        "include": None,
    }
    return merged(session, asked) if asked else session


def merged(session, change):
    """The session object after a change (the `session` of a session.update). Raises Bad; the old
    one stays as it was.
    """
    session_shape(change, "session")
    for name in ("type", "model"):
        if change.get(name, session.get(name)) != session.get(name):
            raise Bad(
                f"A session's {name} cannot be changed: this one has {session[name]}.",
                "invalid_value",
                f"session.{name}",
            )
    # no deeper copy: what lies below is never changed, and may be large
    new = session | {"audio": {side: dict(parts) for side, parts in session["audio"].items()}}
    for side, parts in change.get("audio", {}).items():
        new["audio"][side] |= parts
    new |= {k: v for k, v in change.items() if k != "audio"}
    heard = new["audio"]["input"]
    if heard["turn_detection"]:
        heard["turn_detection"] = (
            SEMANTIC_VAD if heard["turn_detection"]["type"] == "semantic_vad" else SERVER_VAD
        ) | heard["turn_detection"]
    if heard["transcription"]:
        heard["transcription"] = {"model": None, "language": None, "prompt": None} | heard[
            "transcription"
        ]
    for side in new["audio"].values():
        side["format"] = with_rate(side["format"])
    if new["type"] == REALTIME:
        hold_choice(new["tool_choice"], new["tools"], "session.tool_choice")
    elif heard["turn_detection"]:
        for name in OF_ANSWERS & heard["turn_detection"].keys():
            del heard["turn_detection"][name]
    return new


def hold_choice(wanted, tools, at):
    """Raises Bad where a function or a server is to be called that is not among the tools."""
    key = "server_label" if isinstance(wanted, dict) and wanted["type"] == "mcp" else "name"
    name = wanted[key] if isinstance(wanted, dict) else None
    if name and name not in [tool.get(key) for tool in tools]:
        raise Bad(f"Tool choice '{name}' not found in 'tools' parameter.", "invalid_value", at)


def with_rate(form):
    """A format as events show it: PCM says its one rate."""
    return {"type": "audio/pcm", "rate": 24_000} if form["type"] == "audio/pcm" else form
