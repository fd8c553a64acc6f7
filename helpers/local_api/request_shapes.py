"""The form of a Chat and of a Responses request. What is null is the same as what was not sent."""

from . import shaping
from .checks import (
    anything,
    array,
    body,
    by_kind,
    choice,
    each,
    every,
    fields,
    flag,
    kind,
    mapping,
    needed,
    number,
    optional,
    pattern,
    text,
    when,
)

# openai 3.54.0, types/chat and types/shared
ROLES = ("developer", "system", "user", "assistant", "tool", "function")
DETAILS = ("auto", "low", "high", "original")
CHOICES = ("none", "auto", "required")
FORMATS = ("text", "json_object", "json_schema")
PARTS = {
    shaping.CHAT: ("text", "image_url", "input_audio", "file", "refusal"),
    shaping.RESPONSES: ("input_text", "input_image", "input_file", "output_text", "refusal"),
}
LEAST = {shaping.CHAT: 1, shaping.RESPONSES: 16}  # tokens that a limit must leave

_types = {
    "model": text,
    "stream": flag,
    "stream_options": mapping,
    "max_completion_tokens": kind(int),
    "max_tokens": kind(int),
    "max_output_tokens": kind(int),
    "tools": array,
    "response_format": mapping,
    "text": mapping,
    "reasoning": mapping,
    "instructions": text,
}
_name = fields({"name": needed(pattern("^[a-zA-Z0-9_-]+$", 64))})  # of a tool or a schema
_detail = fields({"detail": optional(choice(*DETAILS))})


def _request(path, said, kinds, item, tool, more):
    """The check of a request. said: where its messages are, of which `kinds`; item, tool: the
    checks of one of each; more: those of other parameters.
    """
    a_limit = optional(number(LEAST[path], whole=True))
    return every(
        body,
        fields({name: optional(check) for name, check in _types.items()}),
        fields({said: optional(kind(*kinds)), "model": needed()}),
        fields({said: needed()}),
        fields(dict.fromkeys(shaping.LIMITS, a_limit)),
        fields({said: by_kind(dict.fromkeys(kinds, anything) | {list: each(item)})}),
        fields({"tools": optional(each(every(mapping, fields({"type": needed()}), tool)))}),
        fields({"tool_choice": optional(by_kind({str: choice(*CHOICES), dict: anything}))}),
        fields(more),
    )


def _content(part):
    """The check of an item's content, whose parts pass `part`."""
    part = every(mapping, fields({"text": optional(text)}), part)
    return fields({"content": optional(by_kind({str: anything, list: each(part)}))})


_tool_answer = every(
    when("role", "tool", fields({"tool_call_id": needed()})),
    when(
        "type",
        "function_call_output",
        fields({"call_id": needed(), "output": kind(str, list)}),
    ),
)
_part_type = {path: fields({"type": optional(choice(*known))}) for path, known in PARTS.items()}
_chat_item = every(
    mapping,
    fields({"role": needed(every(text, choice(*ROLES)))}),
    _tool_answer,
    _content(
        every(
            when("type", "image_url", fields({"image_url": every(mapping, _detail)})),
            _part_type[shaping.CHAT],
        )
    ),
)
_spoken = _content(every(_part_type[shaping.RESPONSES], _detail))
_unspoken = _content(_detail)  # what has no role, such as reasoning, has other parts
_responses_item = every(
    mapping,
    _tool_answer,
    fields({"role": optional(text)}),
    lambda item, at: (_spoken if "role" in item else _unspoken)(item, at),
)
_format = every(
    fields({"type": needed(choice(*FORMATS))}),
    when("type", "json_schema", fields({"json_schema": needed(every(mapping, _name))})),
)

_text = fields(
    {
        "format": optional(
            every(
                mapping,
                fields({"type": needed(choice(*FORMATS))}),
                when("type", "json_schema", every(_name, fields({"schema": needed(mapping)}))),
            )
        )
    }
)

# {path: the check of a body}
OF = {
    shaping.CHAT: _request(
        shaping.CHAT,
        "messages",
        (list,),
        _chat_item,
        when("type", "function", fields({"function": needed(every(mapping, _name))})),
        {"response_format": optional(_format)},
    ),
    shaping.RESPONSES: _request(
        shaping.RESPONSES,
        "input",
        (str, list),
        _responses_item,
        when("type", "function", _name),
        {"text": optional(_text)},
    ),
}
