"""A notebook's cells as HTML: a text by nbconvert's own Markdown, code as it is, its outputs."""

import functools
import html
import re

import latex2mathml.converter
import pygments
from nbconvert.filters import ansi2html
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from . import outputs

CODE = re.compile(r'<pre class="code">(.*?)</pre>', re.S)


class _Renderer(IPythonRenderer):
    """Formulas as MathML, which browsers set by themselves."""

    def block_math(self, body):
        return latex2mathml.converter.convert(body.strip(), display="block")

    def paragraph(self, text):
        if text.startswith("<math"):  # which may be wider than a window
            return f'<div class="wide" role="group">{text}</div>\n'
        return super().paragraph(text)


@functools.cache
def _markdown():
    return MarkdownWithMath(_Renderer(escape=False, exclude_anchor_links=True))


def markup(nb):
    """The HTML of all cells of a notebook, whose code `coloured` colours."""
    return "\n".join(_cell(cell) for cell in nb.cells if cell.source.strip())


def text(source):
    """The HTML of a text in Markdown."""
    return str(_markdown().render(source))


def code_cell(cell):
    """(HTML of a cell's code, HTML of what it showed)."""
    code = f'<pre class="code">{html.escape(cell.source, quote=False)}</pre>'
    shown = "".join(f'<div class="output">{_output(output)}</div>' for output in cell.outputs)
    return code, shown


def _cell(cell):
    return "".join(code_cell(cell)) if cell.cell_type == "code" else text(cell.source)


def _output(output):
    if output.output_type in ("stream", "error"):
        said = output.text if "text" in output else "\n".join(output.traceback)
        return f"<pre>{ansi2html(said)}</pre>"
    kind = next(kind for kind in outputs.KINDS if kind in output.data)
    shown = "".join(output.data[kind])
    if kind == "text/html":
        return shown
    if kind == "text/markdown":
        return text(shown)
    return f"<pre>{html.escape(shown, quote=False)}</pre>"


def coloured(page):
    """A page with the code in it coloured: at the end, as a tree of it has ten times as many
    parts.
    """
    formatter, lexer = HtmlFormatter(nowrap=True), PythonLexer(stripnl=False)

    def colour(found):
        code = pygments.highlight(html.unescape(found[1]), lexer, formatter)
        return f'<pre class="highlight">{code.rstrip()}</pre>'

    return CODE.sub(colour, page)
