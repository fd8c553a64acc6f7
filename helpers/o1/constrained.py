"""A random writer held to a JSON schema: why Structured Outputs can promise 100 %.

The writer knows 95 characters and nothing of JSON. At each byte llguidance, an open constrained
decoder, says which bytes can still lead to an instance of the schema, and the writer picks among
those. A language model is held the same way, token by token instead of byte by byte.
"""

import decimal
import functools
import json
import random

from ..common.markup import Template
from ..facts import DATA
from ..facts.files import read_json

END = 256  # the 257th choice of the writer: stop
PRINTABLE = range(32, 127)
# How much the writer likes a byte, whatever the schema: it likes brackets and quotes, so that lists
# are not all empty, and texts stay short.
LIKES = (
    {b: 1.0 for b in PRINTABLE}
    | {ord(b): 8.0 for b in '"[]{}'}
    | {ord(","): 3.0, ord("\\"): 0.0, END: 1.0}
)
PATIENCE = 400  # bytes; from then on it closes whatever it may, the string that it is in first
CLOSERS = {True: b'"', False: b']}"n,:'}  # inside a string, and outside


def schema_of(form):
    """The JSON schema of a Pydantic model, as the SDK sends it; a schema stays what it is."""
    if isinstance(form, dict):
        return form
    from openai import pydantic_function_tool

    return pydantic_function_tool(form)["function"]["parameters"]


@functools.cache
def _tokenizer():
    import llguidance

    class Bytes:
        """256 bytes and an end: what llguidance wants to know of a tokenizer."""

        eos_token_id, bos_token_id, special_token_ids = END, None, [END]
        tokens = [bytes([b]) for b in range(256)] + [b"<|end|>"]

        def __call__(self, text):
            return list(text if isinstance(text, bytes) else text.encode())

    return llguidance.LLTokenizer(
        llguidance.TokenizerWrapper(Bytes()), n_vocab=257, eos_token=END, slices=[]
    )


@functools.lru_cache(64)
def _fresh(schema_text):
    import llguidance

    grammar = llguidance.LLMatcher.grammar_from_json_schema(
        schema_text, overrides={"whitespace_flexible": False}
    )
    matcher = llguidance.LLMatcher(_tokenizer(), grammar)
    if matcher.is_error():
        raise ValueError(
            f"the decoder cannot hold a text to this schema: {matcher.get_error().strip().splitlines()[0]}"
        )
    return matcher


def _matcher(form):
    return _fresh(json.dumps(schema_of(form))).deep_copy()


def _allowed(matcher):
    """The choices that the mask leaves: bytes, and END where the text may stop."""
    bits = matcher.compute_bitmask()
    return [t for t in range(257) if bits[t // 8] >> t % 8 & 1]


def _pick(choices, written, inside, draw):
    if written >= PATIENCE:
        for closer in (END, *CLOSERS[inside]):
            if closer in choices:
                return closer
    likes = [LIKES.get(t, 0.0) for t in choices]
    return draw.choices(choices, likes if any(likes) else None)[0]


def sample(form, seed=0, constrained=True):
    """A text by the random writer: an instance of `form` if constrained, anything if not.

    `form`: a Pydantic model or a JSON schema (dict). The same seed gives the same text.
    Unconstrained, the writer has all its characters and END at every step, and stops after 2,000.
    ValueError where the decoder does not know a part of the schema.

    >>> sample({"type": "object", "properties": {"sure": {"type": "boolean"}},
    ...         "required": ["sure"], "additionalProperties": False})
    '{"sure":false}'
    """
    draw = random.Random(seed)
    if not constrained:
        made = bytearray()
        while (
            len(made) < 2_000 and (t := draw.choices(list(LIKES), list(LIKES.values()))[0]) != END
        ):
            made.append(t)
        return made.decode()
    matcher, made, inside, escaped = _matcher(form), bytearray(), False, False
    while True:
        choices = _allowed(matcher)
        if not choices:
            raise ValueError("no instance of this schema can be written")
        t = _pick(choices, len(made), inside, draw)
        if t == END:
            return made.decode()
        matcher.consume_token(t)
        made.append(t)
        inside ^= t == ord('"') and not escaped
        escaped = t == ord("\\") and not escaped


def valid(form, text):
    """Is the text an instance of `form`? Judged by Pydantic, or for a schema by jsonschema-rs: not
    by the decoder.
    """
    if not isinstance(form, dict):
        import pydantic

        try:
            form.model_validate_json(text)
        except pydantic.ValidationError:
            return False
        return True
    from .grading import validator

    try:
        # a number beyond a float's range is a number still
        value = json.loads(text, parse_float=decimal.Decimal)
    except ValueError:
        return False
    return validator(form).is_valid(value)


STRIP = Template("""
{% set cell = "text-align:center;border-radius:2px;" %}
{% set on = cell + "border:1px solid #0072B2;font-weight:bold" %}
{% set off = cell + "border:1px solid transparent;opacity:.75" %}
<div class="mathjax_ignore" style="max-width:52em">
  <div>after <code>{{ prefix or "nothing" }}</code></div>
  <div role="img" aria-label="{{ count }}: {{ can }}" style="display:grid;grid-template-columns:repeat(32,minmax(0,1.5em));font-family:monospace;margin:.4em 0">
    {% for letter, allowed in strip %}
      <span style="{{ on if allowed else off }}">{{ letter }}</span>
    {% endfor %}
  </div>
  <div style="font-size:85%">{{ count }} (framed and bold)</div>
</div>
""")


class Mask:
    """The bytes that may follow a prefix. `bytes`: the set of them; `end`: may the text stop
    here?
    """

    def __init__(self, prefix, choices):
        self.prefix, self.end = prefix, END in choices
        self.bytes = frozenset(choices) - {END}

    def __repr__(self):
        lines = [
            "".join(chr(b) if b in self.bytes else "·" for b in PRINTABLE[i : i + 32])
            for i in range(0, 95, 32)
        ]
        return "\n".join([f"after {self.prefix}", *lines, self._count()])

    def _count(self):
        return f"allowed: {len(self.bytes)} of 256 bytes" + (", and the end" if self.end else "")

    def _repr_html_(self):
        can = ", ".join(
            "space" if b == 32 else chr(b) for b in sorted(self.bytes) if b in PRINTABLE
        )
        strip = [("␣" if b == 32 else chr(b), b in self.bytes) for b in PRINTABLE]
        return STRIP.render(prefix=self.prefix, can=can, strip=strip, count=self._count())


def allows(form, prefix, token):
    """Whether a language model's token, a text of one or more characters, may follow `prefix`: the
    mask of a real decoder, which is over tokens. ValueError as for `mask`.
    """
    mask(form, prefix)  # tells a prefix that leads nowhere
    raw = (prefix + token).encode()
    return _matcher(form).try_consume_tokens(list(raw)) == len(raw)


def mask(form, prefix):
    """What may follow `prefix` in an instance of `form`, which is written without blanks between
    its parts.

    Returns a Mask, which a notebook shows as a strip of the printable characters. ValueError for a
    prefix that no instance begins with, naming the first character too many.
    """
    matcher = _matcher(form)
    raw = prefix.encode()
    taken = matcher.try_consume_tokens(list(raw))
    if taken < len(raw):
        ok = raw[:taken].decode(errors="ignore")
        raise ValueError(f"no instance begins so: after {ok!r}, {prefix[len(ok)]!r} is masked")
    return Mask(prefix, _allowed(matcher))


def written():
    """What a real language model wrote and would have written next (SmolLM2-135M; measured by
    tests/tools/measure_schemas.py): a dict with `prefix`, `next` ([[token, chance]], the 20
    likeliest after it) and `texts`, of each schema what it wrote when it was `asked` and when it
    was `held` by a grammar, and which of both are valid.
    """
    return read_json(DATA / "written_schemas.json")
