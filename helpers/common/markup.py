"""HTML that is more than a line: jinja2 templates whose values are escaped by themselves."""

from __future__ import annotations

import functools
import html
import re
from typing import Any


class Template:
    """A template for a piece of HTML; render(**values) fills it. Line breaks and indents in it are
    for who reads it: at the edge of a tag they go, elsewhere each is a blank.

    >>> print(Template("<p>{{ said }}</p>").render(said="1 < 2"))
    <p>1 &lt; 2</p>
    """

    def __init__(self, source: str) -> None:
        self.source = source

    def render(self, **values: Any) -> str:
        """The HTML, marked as such: another template takes it as it is. UndefinedError for a value
        that is not given.
        """
        return _safe(_compiled(self.source).render(values))


@functools.cache
def _environment():
    from jinja2 import Environment, StrictUndefined

    # as html.escape writes it, which all our HTML has: jinja2's own writes other entities for
    # quotes
    escaped = lambda v: v if hasattr(v, "__html__") else _safe(html.escape(str(v)))
    return Environment(autoescape=True, undefined=StrictUndefined, finalize=escaped)


@functools.cache
def _compiled(source):
    tight = re.sub(r"\n\s*(?=<|{%|$)|(?<=[>}])\n\s*", "", source.strip())
    return _environment().from_string(re.sub(r"\n\s*", " ", tight))


def _safe(text):
    from markupsafe import Markup as Safe

    return Safe(text)
