"""Make the static site: `python -m tests.tools.make_site [ADDRESS [REPOSITORY]]` writes it into
site/.

README.md is its first page; whatever links lead to from there are the others: notebooks as they
were stored, texts, sources, pictures, sounds. A page lies where its file lies, so that links hold
but for their ending. Nothing on a page is asked of another host. What is wrong with a file that a
page needs is listed, and no site is written.

ADDRESS is where it will be served, such as https://example.org/day9/: a preview elsewhere needs the
whole address of its picture. Without it that address is relative. REPOSITORY is owner/name on
GitHub: with it each notebook has links that open it on Binder, in Codespaces and in Colab.
"""

import base64
import json
import os
import posixpath
import re
import shutil
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

import bs4
import nbformat.v4
import plotly
from packaging.requirements import Requirement

from helpers.common.markup import Template
from tests import lab

from . import refresh
from .site import cells, outputs

ROOT = refresh.ROOT
OUT = ROOT / "site"
FRAME = Path(__file__).parent / "site"
FIRST = "README.md"
BEGINS = {".png": b"\x89PNG", ".jpg": b"\xff\xd8\xff", ".svg": b"<", ".opus": b"OggS"}
AS_THEY_ARE = tuple(BEGINS)  # copied, and no page of their own
STORED = re.compile(r"data:image/(?P<kind>[\w.+-]+);base64,(?P<data>.+)", re.S)
PREVIEW = "notebooks/diagrams/at_work.png"  # of a page that has no picture of its own
ELSEWHERE = ("http", "https", "mailto")
LONGEST = 200  # characters of a description
THEMES_IN = "tests/tools/refresh.py"
LANGUAGES = {"README.zh-CN.md": "zh-CN"}


# What stands behind a notebook that is open: Colab brings its own, and may not start with others.
COLAB = {"sys_platform": "linux", "platform_machine": "x86_64"}
KERNELS_OWN = {
    "ipykernel",
    "ipython",
    "ipywidgets",
    "jinja2",
    "jupyter-server",
    "jupyterlab",
    "markupsafe",
    "nbclient",
    "nbformat",
    "nbval",
    "packaging",
    "pygments",
    "python-dateutil",
    "tornado",
    "tqdm",
    "traitlets",
}


FIRST_CELL = """\
!git clone -q --depth 1 https://github.com/{repository} /content/day9
!pip install -q {packages}
!python /content/day9/start.py link"""


class Faults(ValueError):
    """What keeps the site from being made, a line each."""


class Page(NamedTuple):
    path: str  # of its file, from the root
    title: str
    description: str
    soup: bs4.BeautifulSoup
    picture: tuple[str, str] | None  # its path on the site, and what it shows
    ids: set[str]
    leads: list[tuple[str, str]]  # (path of a file, fragment) of its links


def address(path):
    """Where a file lies on the site: 1_o1/x.ipynb is 1_o1/x.html, x.py is x.py.html."""
    if path == FIRST:
        return "index.html"
    stem, ending = posixpath.splitext(path)
    if ending in AS_THEY_ARE:
        return path
    return f"{stem if ending in ('.ipynb', '.md') else path}.html"


def packages():
    """What pip is asked for in Colab, quoted for a shell: each dependency of pyproject.toml that
    its system gets and no kernel brings.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [Requirement(line) for line in project["dependencies"]]
    return " ".join(
        f'"{line.partition(";")[0].strip()}"'
        for line, it in zip(project["dependencies"], asked)
        if it.name not in KERNELS_OWN and (not it.marker or it.marker.evaluate(COLAB))
    )


class Site:
    """The pages that links lead to from `root`'s README.md, and what is wrong with them."""

    def __init__(self, root, out):
        self.root, self.out, self.faults, self.unread = root, out, [], set()
        self.sounds = outputs.clips(root)
        self.pages = {}
        waiting = [FIRST]
        while waiting:
            path = waiting.pop()
            if path in self.pages or path.endswith(AS_THEY_ARE):
                continue
            self.pages[path] = page = self._page(path)
            waiting += [to for to, _ in page.leads]
        there = {}
        for path in self.pages:
            if (other := there.setdefault(address(path), path)) != path:
                self.faults.append(f"{path}: its page would lie where that of {other} lies")
        for page in self.pages.values():
            for to, fragment in page.leads:
                known = to in self.pages and to not in self.unread
                if fragment and known and fragment not in self.pages[to].ids:
                    self.faults.append(f"{page.path}: {to} has no #{fragment}")

    def _page(self, path):
        nb = self._notebook(path)
        soup = bs4.BeautifulSoup(cells.markup(nb), "html.parser")
        for heading in soup.find_all(["h1", "h2", "h3"]):  # as JupyterLab names them
            heading["id"] = "-".join(heading.get_text().split(" "))
        ids = {tag["id"] for tag in soup.find_all(id=True)}
        picture = self._pictures(path, soup)
        leads = self._links(path, soup)
        for table in soup.find_all("table"):
            table.wrap(soup.new_tag("div", attrs={"class": "wide", "role": "group"}))
        for drawn in soup.find_all("pre", class_=False):
            if "─" in drawn.get_text():  # lines that wrap are no drawing
                drawn["class"] = "drawn"
                drawn.wrap(soup.new_tag("div", attrs={"class": "wide", "role": "group"}))
        first = soup.find("h1")
        title = first.get_text().strip() if first else path
        words = soup.find("p")
        made = re.search(r"\*\*You'll make\*\* .*", nb.cells[0].source)
        about = (
            made[0].replace("**", "").rstrip("\\") if made else words.get_text() if words else path
        )
        return Page(path, title, _short(about), soup, picture, ids, leads)

    def _notebook(self, path):
        """The file as a notebook: a text is one of a single cell."""
        file = self.root / path
        try:
            if path.endswith(".ipynb"):
                nb = outputs.read(file)
                if why := outputs.not_run(nb):
                    self.faults.append(f"{path}: {why}")
                outputs.shown(nb, self.sounds, "../" * path.count("/"))
                return nb
            text = file.read_text(encoding="utf-8")
        except ValueError as error:
            self.faults.append(f"{path}: {error}")
            self.unread.add(path)
            return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(path)])
        if not path.endswith(".md"):
            name = posixpath.basename(path)
            kind = posixpath.splitext(path)[1].lstrip(".")
            text = f"# {name}\n\n~~~~~~{kind}\n{text}\n~~~~~~"
        return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])

    def _pictures(self, path, soup):
        """Write what is stored in a page as files beside it; returns the first that a preview can
        show.
        """
        first, folder = None, posixpath.dirname(path)
        for number, img in enumerate(soup.find_all("img"), 1):
            if not img.get("src"):
                self.faults.append(f"{path}: the img {number} has no src")
                continue
            if stored := STORED.fullmatch(img["src"]):
                ending = {"svg+xml": "svg", "jpeg": "jpg"}.get(stored["kind"], stored["kind"])
                name = f"{posixpath.splitext(posixpath.basename(path))[0]}-{number}.{ending}"
                try:
                    self._write(posixpath.join(folder, name), base64.b64decode(stored["data"]))
                except ValueError:
                    self.faults.append(f"{path}: the img {number} is damaged")
                img["src"] = name
            if number > 1:
                img["loading"] = "lazy"
            if not first and not img["src"].endswith(".svg") and ":" not in img["src"]:
                first = posixpath.normpath(posixpath.join(folder, img["src"])), img.get("alt", "")
        return first

    def _links(self, path, soup):
        """Turn links between files into links between pages, and copy what a page shows; returns
        where they lead.
        """
        leads = []
        for tag in soup.find_all(lambda tag: tag.has_attr("src") or tag.name in ("a", "link")):
            name = "href" if tag.name in ("a", "link") else "src"
            parts = urlsplit(tag.get(name, ""))
            if parts.scheme == "data":
                self.faults.append(f"{path}: the {tag.name} is no file, and a page cannot show it")
                continue
            if parts.scheme or parts.netloc:
                if tag.name == "a" and parts.scheme not in ELSEWHERE:
                    self.faults.append(f"{path}: the link {tag[name]} leads nowhere")
                elif tag.name != "a":
                    self.faults.append(f"{path}: asks another host for {tag[name]}")
                continue
            if not parts.path:
                if parts.fragment:
                    leads.append((path, unquote(parts.fragment)))
                continue
            to = posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(parts.path)))
            if (self.out / to).is_file():  # a picture that was stored in the page
                continue
            if to.startswith("../") or not (self.root / to).is_file():
                what = "the link" if tag.name == "a" else f"the {tag.name}"
                self.faults.append(f"{path}: {what} {parts.path} leads nowhere")
                continue
            if to.endswith(AS_THEY_ARE):
                content, ending = (self.root / to).read_bytes(), posixpath.splitext(to)[1]
                if not content.startswith(BEGINS[ending]):
                    self.faults.append(f"{path}: {to} holds no {ending}")
                self._write(to, content)
            else:
                leads.append((to, "" if tag.name != "a" else unquote(parts.fragment)))
            end = f"#{parts.fragment}" if parts.fragment else ""
            there = posixpath.relpath(address(to), posixpath.dirname(address(path)) or ".")
            tag[name] = there + end
        return leads

    def _write(self, name, content):
        file = self.out / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    def write(self, served="", repository=""):
        """Write the pages, the words that the search looks through, and what pages share."""
        groups, template = self._groups(), Template(FRAME.joinpath("page.html").read_text("utf-8"))
        site = self.pages[FIRST].title
        for path, page in self.pages.items():
            up = "../" * path.count("/")
            picture, words = page.picture or (PREVIEW, site)
            content = template.render(
                language=LANGUAGES.get(path, "en"),
                up=up,
                site=site,
                title=page.title if path == FIRST else f"{page.title} · {site}",
                description=page.description,
                picture=(served or up) + picture,
                picture_in_words=words,
                notebook=path if path.endswith(".ipynb") else "",
                repository=repository,
                quoted=quote(path, safe=""),
                folder=posixpath.dirname(path),
                first_cell=FIRST_CELL.format(repository=repository, packages=packages()),
                body=cells.coloured(str(page.soup)),
                groups=[
                    (group, [(address(to), self.pages[to].title, to == path) for to in paths])
                    for group, paths in groups.items()
                ],
            )
            self._write(address(path), content.encode())
        index = [row for path in self.pages for row in _sections(self.pages[path])]
        words = json.dumps(index, ensure_ascii=False, separators=(",", ":"))
        self._write("index.js", f"const INDEX = {words};\n".encode())
        for name in ("site.css", "site.js"):
            shutil.copy(FRAME / name, self.out)
        shutil.copy(Path(plotly.__file__).parent / "package_data" / "plotly.min.js", self.out)
        self._write(PREVIEW, (self.root / PREVIEW).read_bytes())
        self._write(".nojekyll", b"")  # or GitHub Pages leaves files out

    def _groups(self):
        """{theme: paths}, in reading order, and what else stands among the notebooks."""
        groups = {}
        for name in lab.notebooks(self.root / "notebooks"):
            path = f"notebooks/{name}"
            if path not in self.pages:
                self.faults.append(f"{path}: no link leads there from {FIRST}")
                continue
            theme = refresh.THEMES.get(posixpath.dirname(name))
            if not theme:
                self.faults.append(f"{path}: its folder is none of THEMES in {THEMES_IN}")
            groups.setdefault(theme, []).append(path)
        # a page for teachers of one notebook is found from the list of all of them
        twin = lambda p: p.replace("notebooks/teaching/", "notebooks/").replace(".md", ".ipynb")
        texts = [p for p in self.pages if p.endswith(".md") and twin(p) not in self.pages]
        for name, folder in (("Beside them", "notebooks"), ("For teachers", "notebooks/teaching")):
            if of_it := sorted(p for p in texts if posixpath.dirname(p) == folder):
                groups[name] = of_it
        return groups


def _short(text):
    """The beginning of a text, cut between words."""
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else text[:LONGEST].rsplit(" ", 1)[0] + " …"


def _sections(page):
    """[where, id, title, heading, words] of each section of a page, what pictures show included."""
    rows = [[address(page.path), "", page.title, "", []]]
    for part in page.soup.descendants:
        if isinstance(part, bs4.Tag):
            if part.name in ("h1", "h2", "h3") and part.get("id"):
                rows.append([rows[0][0], part["id"], page.title, part.get_text().strip(), []])
            elif part.name == "img":
                rows[-1][4].append(part.get("alt", ""))
        elif type(part) is bs4.NavigableString:  # and not a script, a style or a comment
            rows[-1][4].append(part)
    for row in rows:
        row[4] = " ".join("".join(row[4]).split())
    return [row for row in rows if row[4]]


def make(root=ROOT, out=OUT, served="", repository=""):
    """Write the site of the project at `root` into `out`, from nothing; returns the Site.

    Raises Faults where a notebook was changed and not run or stopped at an error, where a link or a
    sound leads nowhere, and where a file cannot be read or written or is not what its name says.
    """
    shutil.rmtree(out, ignore_errors=True)
    try:
        site = Site(root, out)
        if not site.faults:
            site.write(served, repository)
        faults = site.faults
    except OSError as error:  # a full disk, or a file that every site needs
        faults = [f"{error.filename or out}: {error.strerror}"]
    if faults:
        shutil.rmtree(out, ignore_errors=True)
        raise Faults("\n".join(faults))
    return site


def main(args):
    served, repository, *more = [*args, "", ""][: max(2, len(args))]
    if more or served and not re.match(r"https?://", served):
        sys.exit(
            f"{served}: the address of the site, such as https://example.org/day9/\n\n{__doc__}"
        )
    if repository and not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
        sys.exit(f"{repository}: a repository is owner/name, as GitHub has it\n\n{__doc__}")
    try:
        site = make(served=served and f"{served.rstrip('/')}/", repository=repository)
    except Faults as error:
        sys.exit(str(error))
    size = sum(file.stat().st_size for file in OUT.rglob("*") if file.is_file())
    print(f"{os.path.relpath(OUT)}: {len(site.pages)} pages, {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main(sys.argv[1:])
