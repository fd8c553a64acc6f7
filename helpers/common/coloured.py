"""code(): a program's text in the colours of JupyterLab's own theme, folded where it is long."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from .markup import Template
from .shown import Shown

if TYPE_CHECKING:
    from collections.abc import Iterator


LONG = 25  # lines from which on a text is folded
# a page without JupyterLab does not know these names: there, the text keeps its colour
THEME = "color:var(--jp-mirror-editor-{}-color)"
COMMENT = "font-style:italic"  # Lab's own colour for it is too faint in the dark theme
# JupyterLab breaks lines of an output inside words: word-break
TEXT = Template("""
{% macro text() %}
<pre class="mathjax_ignore" style="white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere;font-size:85%;line-height:1.45;margin:.3em 0">{{ lines | join("\\n") }}</pre>
{% endmacro %}
{% if folded %}<details><summary>{{ name }}, {{ lines | length }} lines</summary>{{ text() }}</details>{% else %}{{ text() }}{% endif %}
""")


def code(text: str, language: str, numbered: bool = False) -> Shown:
    """A program's text as a Shown. `language`: a name that Pygments knows, such as "JavaScript";
    `numbered`: with the numbers of its lines. ValueError for a language that it does not know.
    """
    lines = list(_lines(text, language))
    plain = text.rstrip("\n").split("\n")
    if numbered:
        width = len(str(len(lines)))
        numbers = [f"{i:<{width}}  " for i in range(1, len(lines) + 1)]
        lines = [number + line for number, line in zip(numbers, lines)]
        plain = [number + line for number, line in zip(numbers, plain)]
    from markupsafe import Markup

    shown = TEXT.render(
        lines=[Markup(line) for line in lines], name=language, folded=len(lines) > LONG
    )
    return Shown("\n".join(plain), shown)


def _lines(text: str, language: str) -> Iterator[str]:
    """Each line as HTML, its words in colours."""
    from pygments.lexers import get_lexer_by_name
    from pygments.token import Comment, Keyword, Literal, Operator
    from pygments.util import ClassNotFound

    styles = {Comment: COMMENT} | {
        kind: THEME.format(name)
        for kind, name in (
            (Keyword, "keyword"),
            (Literal.String, "string"),
            (Literal.Number, "number"),
            (Operator, "operator"),
        )
    }
    try:
        lexer = get_lexer_by_name(language.lower(), stripnl=False, ensurenl=False)
    except ClassNotFound:
        raise ValueError(f"no colours are known for {language!r}") from None
    line: list[str] = []
    for token, words in lexer.get_tokens(text.rstrip("\n")):
        style = next((style for kind, style in styles.items() if token in kind), None)
        for i, piece in enumerate(words.split("\n")):
            if i:
                yield "".join(line)
                line = []
            escaped = html.escape(piece).replace("$", "&#36;")
            styled = f'<span style="{style}">{escaped}</span>'
            line.append(styled if style and piece.strip() else escaped)
    yield "".join(line)
