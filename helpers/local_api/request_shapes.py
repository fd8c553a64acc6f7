"""The form of a Chat and of a Responses request. What is null is the same as what was not sent.

OF is asked first: what a model's own refusals (data/refusals.json) stand on. Then those; and then
`for_every_model`: types and ranges, and the rules between parameters.
"""

from . import published, shaping
from .checks import (
    Bad,
    anything,
    array,
    body,
    by_kind,
    choice,
    each,
    every,
    fields,
    flag,
    identifier,
    kind,
    mapping,
    metadata,
    needed,
    number,
    optional,
    text,
    unknown,
    up_to,
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

# What a parameter of Chat is called in the Responses API
MOVED = {
    "messages": "input",
    "response_format": "text.format",
    "max_tokens": "max_output_tokens",
    "max_completion_tokens": "max_output_tokens",
    "reasoning_effort": "reasoning.effort",
    "verbosity": "text.verbosity",
}

_name = fields({"name": needed(identifier)})  # of a tool or a schema
_detail = fields({"detail": optional(choice(*DETAILS))})


def _request(path, said, kinds, item, tool, more):
    """The check of a request. said: where its messages are, of which `kinds`; item, tool: the
    checks of one of each; more: those of other parameters.
    """
    a_limit = optional(number(LEAST[path], whole=True))
    return every(
        body,
        lambda value, at: _vocabulary(path, value),
        fields({said: optional(kind(*kinds)), "model": optional(text), "stream": optional(flag)}),
        fields(
            {"model": needed(), "tools": optional(array), "previous_response_id": optional(text)}
        ),
        fields({said: needed()}),
        fields(dict.fromkeys(shaping.LIMITS, a_limit)),
        fields({said: by_kind(dict.fromkeys(kinds, anything) | {list: each(item)})}),
        fields({"tools": optional(each(every(mapping, fields({"type": needed()}), tool)))}),
        fields({"tool_choice": optional(by_kind({str: choice(*CHOICES), dict: anything}))}),
        fields(more),
    )


def _vocabulary(path, value):
    """Raises Bad for a parameter that this API does not have, with its name here where it has
    one.
    """
    for key in value.keys() - published.parameters(path):
        if value[key] is None:
            continue
        if path == shaping.RESPONSES and key in MOVED:
            raise Bad(
                f"Unsupported parameter: '{key}'. In the Responses API, this parameter has moved to "
                f"'{MOVED[key]}'. Try again with the new parameter. See the API documentation for "
                "more information: https://platform.openai.com/docs/api-reference/responses/create.",
                "unsupported_parameter",
                key,
            )  # seen
        raise unknown(key)


def for_every_model(path, body):
    """Raises Bad for a parameter of another type or range than its own, or that another forbids."""
    published.parameters_of(path)(body, "")
    fields({"metadata": optional(metadata)})(body, "")
    if path == shaping.CHAT:
        _as_many(body, "")
        _combined(body)


def _combined(body):
    """The rules between the parameters of Chat, in the API's own words."""
    sent = {key for key, value in body.items() if value is not None}
    if "parallel_tool_calls" in sent and not body.get("tools"):  # openai/swarm#30
        raise Bad(
            "Invalid value for 'parallel_tool_calls': 'parallel_tool_calls' is only allowed when "
            "'tools' are specified.",
            None,
            "parallel_tool_calls",
        )
    if "stream_options" in sent and not body.get("stream"):  # BerriAI/litellm#5803
        raise Bad(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            None,
            "stream_options",
        )
    if {"max_tokens", "max_completion_tokens"} <= sent:  # langchain-ai/langgraph#5943
        raise Bad(
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
            "invalid_parameter_combination",
            "max_tokens",
        )
    chosen = body.get(
        "tool_choice"
    )  # writer/writer-framework#1013; "auto" and "none" change nothing
    if chosen not in (None, "auto", "none") and not body.get("tools"):
        raise Bad(
            "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are "
            "specified.",
            None,
            "tool_choice",
        )
    if body.get("top_logprobs") and not body.get("logprobs"):  # the SDK's types; on their pattern
        raise Bad(
            "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.",
            None,
            "top_logprobs",
        )
    if body.get("metadata") and not body.get("store"):  # spiceai/spiceai#5231
        raise Bad(
            "The 'metadata' parameter is only allowed when 'store' is enabled.", None, "metadata"
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
# continuedev/continue#2461, 0x4m4/hexstrike-ai#29
_as_many = fields(
    {"stop": optional(by_kind({str: anything, list: up_to(4)})), "tools": optional(up_to(128))}
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
    mapping,
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
