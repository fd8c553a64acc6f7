"""Make slides: `python -m tests.tools.make_slides [NOTEBOOK ...]` (default: all) writes a file for
each notebook into slides/, which Git leaves out.

A slide is a code cell with the paragraph that stands before it; what the cell showed comes at the
next key, so that a class can predict it first. Tables, lists, surprises and what ends a section
have slides of their own; exercises are without their solutions. All other text of the notebook is
in the speaker's notes (key S). A file holds all that it shows, reveal.js as well, and asks nothing
of another host.
"""

import base64
import importlib.util
import mimetypes
import os
import re
import sys
from pathlib import Path
from urllib.parse import unquote

import bs4

from helpers.common.markup import Template

from . import refresh
from .site import cells, outputs

OUT = refresh.ROOT / "slides"
FRAME = Path(__file__).parent / "site"
HEADING = re.compile(r"^(?=## )", re.M)
EXERCISE = re.compile(r"\*\*\d\.\*\* ")
TABLE = re.compile(r"^\|", re.M)
SLIDE = Template("""
<section>
  {% if heading %}<h2>{{ heading | safe }}</h2>{% endif %}
  {{ above | safe }}
  {{ code | safe }}
  {% if shown %}<div class="fragment">{{ shown | safe }}</div>{% endif %}
  {% if notes %}<aside class="notes">{{ notes | safe }}</aside>{% endif %}
</section>
""")


def reveal(name):
    """A file of reveal.js, as text. It comes in the wheel of pyreveal, byte for byte as npm has
    it.
    """
    (folder,) = importlib.util.find_spec("pyreveal").submodule_search_locations
    return Path(folder, "revealjs", "dist", name).read_text(encoding="utf-8")


def deck(path):
    """The slides of the notebook at `path`, as HTML. ValueError where it was changed and not run, a
    figure has no still, or a picture or a sound is not there.
    """
    try:
        nb = outputs.read(path)
        if why := outputs.not_run(nb):
            raise ValueError(why)
        to_root = f"{os.path.relpath(refresh.ROOT, path.parent)}/"
        outputs.shown(nb, outputs.clips(refresh.ROOT), to_root)
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from error
    stacks = [f"<section>{''.join(stack)}</section>" for stack in _stacks(nb)]
    soup = bs4.BeautifulSoup("".join(stacks), "html.parser")
    for tag in soup.find_all(["img", "audio"]):
        tag["src"] = _inside(tag["src"], path)
    for script in soup.find_all("script"):  # what makes a figure alive on the site
        script.decompose()
    # a closing tag in a script's text would end the script
    scripts = [
        reveal(name).replace("</script", "<\\/script") for name in ("reveal.js", "plugin/notes.js")
    ]
    return Template(FRAME.joinpath("deck.html").read_text("utf-8")).render(
        title=refresh.title(nb),
        styles=reveal("reveal.css") + FRAME.joinpath("deck.css").read_text("utf-8"),
        slides=cells.coloured(str(soup)),
        scripts=scripts,
    )


def _stacks(nb):
    """A list of slides for each section of a notebook."""
    waiting = []  # paragraphs that no slide has yet
    heading = ""
    stack = [_first(nb)]
    for cell in nb.cells[1:]:
        if any(tag.startswith("generated") for tag in cell.metadata.get("tags", [])):
            continue
        if cell.cell_type == "code":
            asks = "\n\n".join(waiting[_asked(waiting) :])
            del waiting[_asked(waiting) :]
            stack.append(_code(heading, asks, waiting, cell))
            heading, waiting = "", []
            continue
        for part in HEADING.split(refresh.FOLDED.sub("", cell.source)):
            if part.startswith("## "):
                stack += _texts(heading, waiting)
                if stack:
                    yield stack
                title, _, part = part.partition("\n")
                heading, waiting, stack = cells.text(title.lstrip("# ")), [], []
            for paragraph in filter(str.strip, re.split(r"\n\s*\n", part)):
                listed = paragraph.startswith("- ") and not EXERCISE.match("".join(waiting[-1:]))
                if TABLE.search(paragraph) or listed or paragraph.startswith("**Surprise"):
                    stack += _texts(heading, [*waiting, paragraph])
                    heading, waiting = "", []
                else:
                    waiting.append(paragraph)
    yield stack + _texts(heading, waiting)


def _asked(paragraphs):
    """From which of these paragraphs on a slide with code has them: an exercise whole, else the
    last.
    """
    whole = [i for i, paragraph in enumerate(paragraphs) if EXERCISE.match(paragraph)]
    return whole[-1] if whole else max(0, len(paragraphs) - 1)


def _first(nb):
    title, *lines = nb.cells[0].source.splitlines()
    first = cells.text("\n".join(lines))
    return SLIDE.render(
        heading="", above=f"<h1>{cells.text(title.lstrip('# '))}</h1>{first}", code="", shown="", notes=""
    )  # fmt: skip


def _texts(heading, paragraphs):
    """A slide of these; none where there is nothing."""
    if not paragraphs and not heading:
        return []
    text = cells.text("\n\n".join(paragraphs))
    return [SLIDE.render(heading=heading, above=text, code="", shown="", notes="")]


def _code(heading, asks, notes, cell):
    code, shown = cells.code_cell(cell)
    if "starter" in cell.metadata.get("tags", []):
        shown = ""  # that it is still open
    return SLIDE.render(
        heading=heading,
        above=cells.text(asks),
        code=code,
        shown=shown,
        notes=cells.text("\n\n".join(notes)),
    )


def _inside(source, path):
    """A file that a slide shows, as a data URL."""
    if source.startswith("data:"):
        return source
    name = source.partition("#")[0]
    file = path.parent / unquote(name)
    if not file.is_file():
        raise ValueError(f"{path.name}: {name} leads nowhere")
    kind = mimetypes.guess_type(file.name)[0] or "audio/ogg"
    return f"data:{kind};base64,{base64.b64encode(file.read_bytes()).decode()}"


def main(args):
    paths = refresh.chosen(args)
    for path in paths:
        file = OUT / path.relative_to(refresh.NOTEBOOKS).with_suffix(".html")
        try:
            content = deck(path)
        except ValueError as error:
            sys.exit(f"No slides. {error}")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
        print(os.path.relpath(file))


if __name__ == "__main__":
    main(sys.argv[1:])
