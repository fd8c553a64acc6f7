"""The static site: every page whole, nothing asked of another host, and what is wrong is named."""

import ast
import html
import io
import json
import re
import shlex
import shutil
import tomllib
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe
from packaging.requirements import Requirement
from PIL import Image

import start
from tests import lab
from tests.conftest import needs

from . import make_site, refresh
from .site import outputs

ASKED = re.compile(r'<(?!a\b)(\w+)\b[^>]*?\b(?:src|href)="([^"]*)"')
LINKED = re.compile(r'<a\b[^>]*?\bhref="([^"]*)"')
META = re.compile(r'<meta (?:name|property)="([^"]*)" content="([^"]*)">')
BOOKS = [f"notebooks/{name}" for name in lab.notebooks()]


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """The whole site, as it is served at an address."""
    folder = tmp_path_factory.mktemp("made") / "site"
    make_site.make(out=folder, served="https://example.org/day9/")
    return folder


@pytest.fixture(scope="module")
def pages(out):
    """{its path from the site's root: HTML}."""
    return {p.relative_to(out).as_posix(): p.read_text("utf-8") for p in out.rglob("*.html")}


def stored(path):
    """The outputs of a notebook."""
    nb = refresh.read(make_site.ROOT / path)
    return [o for c in nb.cells for o in c.get("outputs", [])]


def test_each_page_has_a_title_a_description_and_a_picture_of_its_own(out, pages):
    titles = [re.search(r"<title>(.*?)</title>", page)[1] for page in pages.values()]
    assert len(set(titles)) == len(titles) and {make_site.address(b) for b in BOOKS} <= set(pages)
    told = {name: dict(META.findall(page)) for name, page in pages.items()}
    for name, meta in told.items():
        assert meta["description"], name
        at, _, picture = meta["og:image"].partition("/day9/")
        assert at == "https://example.org" and (out / picture).is_file(), name
        assert not picture.endswith(".svg"), f"{name}: few previews can draw it"
    books = [told[make_site.address(b)]["description"] for b in BOOKS]
    assert len(set(books)) == len(books) and all(d.startswith("You&#x27;ll make") for d in books)


def test_no_page_asks_another_host_and_no_link_leads_nowhere(out, pages):
    for name, page in pages.items():
        for tag, url in ASKED.findall(page) + [("a", url) for url in LINKED.findall(page)]:
            if url.startswith("data:") or tag == "a" and url.startswith(("https:", "http:")):
                continue
            path, _, fragment = unquote(url).partition("#")
            to = ((out / name).parent / path if path else out / name).resolve()
            assert to.is_file() and to.is_relative_to(out.resolve()), f"{name}: {tag} {url}"
            if fragment and tag == "a":
                assert f'id="{fragment}"' in to.read_text("utf-8"), f"{name}: {url}"
    assert not re.search(r"https?:|//\w|@import|url\(", (out / "site.css").read_text("utf-8"))


@pytest.mark.parametrize("path", BOOKS)
def test_a_figure_is_alive_and_a_still_and_both_have_its_words(path, pages):
    page = pages[make_site.address(path)]
    figures = [o for o in stored(path) if outputs.PLOTLY in o.get("data", {})]
    drawn = re.findall(r'<script type="application/json">(.*?)</script>', page, re.S)
    assert [json.loads(d) for d in drawn] == [o["data"][outputs.PLOTLY] for o in figures]
    stills = re.findall(r'<figure class="plot">\s*<img alt="([^"]+)"', page)
    assert len(stills) == len(figures)
    for img in re.findall(r"<img\b[^>]*>", page):
        assert " alt=" in img, img


def test_sounds_are_those_of_the_clips_and_widgets_say_where_they_run(pages):
    players = {name: re.findall(r'<audio[^>]*src="([^"]+)"', page) for name, page in pages.items()}
    spoken = players["notebooks/2_realtime/01_a_spoken_conversation.html"]
    assert [Path(s).name for s in spoken] == ["user-reindeer.opus", "says-reindeer.opus"]
    for path in BOOKS:
        widgets = [
            o for o in stored(path) if outputs.WIDGET.match(o.get("data", {}).get("text/plain", ""))
        ]
        name = make_site.address(path)
        played = [o for o in widgets if "Sound of" in o["data"]["text/plain"]]
        lines = pages[name].count('class="where"')
        assert len(widgets) - len(played) <= lines <= len(widgets), path
        assert len(players[name]) + lines >= len(widgets), path


def test_every_widget_is_known_by_the_words_it_has_for_itself():
    for file in (make_site.ROOT / "helpers").rglob("*.py"):
        source = file.read_text("utf-8")
        if "Still," not in source:
            continue
        names = [
            node
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.FunctionDef) and node.name == "__repr__"
        ]
        assert names, file.name
        for name in names:
            texts = [n.value for n in ast.walk(name) if isinstance(n, ast.Constant)]
            assert any(isinstance(t, str) and outputs.WIDGET.match(t) for t in texts), file.name


def test_the_search_looks_through_what_each_output_says(out):
    text = (out / "index.js").read_text("utf-8").removeprefix("const INDEX = ").rstrip(";\n")
    found = {}
    for name, _, _, _, words in json.loads(text):
        found[name] = f"{found.get(name, '')} {words}"
    for path in BOOKS:
        said = [o.text for o in stored(path) if o.output_type == "stream"]
        said += [
            o.data["text/plain"] for o in stored(path) if set(o.get("data", ())) == {"text/plain"}
        ]
        for words in said:
            if not outputs.WIDGET.match(words):
                assert " ".join(words.split()) in found[make_site.address(path)], path


def test_a_page_leads_to_the_one_before_and_the_one_after(pages):
    names = [make_site.address(b) for b in BOOKS]
    for before, after in zip(names, names[1:]):
        for name, to in ((before, after), (after, before)):
            main = re.search(r"<main>(.*)</main>", pages[name], re.S)[1]
            assert f'{Path(to).name}"' in main


def test_it_is_small(out):
    assert sum(p.stat().st_size for p in out.rglob("*") if p.is_file()) < 15e6


def test_formulas_are_set_by_the_browser(pages):
    page = pages["notebooks/3_dpo/02_how_dpo_learns.html"]
    nb = refresh.read(make_site.ROOT / "notebooks/3_dpo/02_how_dpo_learns.ipynb")
    assert page.count("<math ") == "".join(c.source for c in nb.cells).count("$$") // 2 > 0
    assert not any("$$" in page or "\\frac" in page for page in pages.values())


def test_the_list_of_pages_has_what_is_for_teachers_but_not_each_page_for_a_notebook(pages):
    nav = pages["index.html"].partition("<nav")[2]
    for name in ("README", "plans", "answers", "nbgrader"):
        assert f'"notebooks/teaching/{name}.html"' in nav
    for path in BOOKS:
        beside = path.replace("notebooks/", "notebooks/teaching/").replace(".ipynb", ".html")
        assert beside in pages and beside not in nav
        assert (
            f'"{Path(beside).relative_to("notebooks/teaching").as_posix()}"'
            in pages["notebooks/teaching/README.html"]
        )


@needs("chromium")
def test_a_screen_reader_and_a_keyboard_get_through_a_page(out):
    """No serious finding of axe, on three kinds of pages; it was run on all of them by hand."""
    pages = {
        "index": "dark",
        "notebooks/00_start_here": "light",
        "notebooks/teaching/1_o1/03_vision": "dark",
    }
    with lab.browser() as chrome:
        for name, scheme in pages.items():
            page = chrome.new_context(color_scheme=scheme).new_page()
            page.goto((out / f"{name}.html").as_uri())
            found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
            serious = [f for f in found if f["impact"] in ("serious", "critical")]
            assert not serious, (name, [(f["id"], f["nodes"][0]["html"]) for f in serious])


@needs("chromium")
def test_in_a_browser_a_narrow_page_fits_and_its_figure_comes_alive(out):
    """Also from a folder that no server shows; with no script, a figure is its still."""
    page_of = (out / "notebooks/4_costs/05_your_own_bill.html").as_uri()
    asked = []
    with lab.browser() as chrome:
        for scripts in (True, False):
            context = chrome.new_context(
                viewport={"width": 400, "height": 800}, java_script_enabled=scripts
            )
            page = context.new_page()
            page.on("request", lambda request: asked.append(request.url))
            page.goto(page_of)
            assert page.evaluate("document.documentElement.scrollWidth") == 400
            assert page.locator("search").is_visible() == scripts
            page.locator(".plot").first.scroll_into_view_if_needed()
            if not scripts:
                assert page.locator(".plot img").first.is_visible()
                continue
            page.locator(".plot .main-svg").first.wait_for()
            page.locator("search input").fill("who ANSWERED")
            first = page.locator("search li a").first
            first.wait_for()
            assert first.inner_text().endswith(": Who answered?"), "a heading before a text"
            page.locator("search input").fill("8,933.33 usd")
            page.locator("search li a", has_text="Who answered?").wait_for(state="detached")
            first.click()
            assert "your_own_bill.html" in page.url
    assert {url.partition(":")[0] for url in asked} <= {"file", "data", "blob"}


@needs("chromium")
def test_on_a_dark_page_figures_are_dark_and_on_a_narrow_one_code_in_tables_wraps(out):
    """With no script: the stills, formulas without a bar of their own, tables that fit."""
    with lab.browser() as chrome:
        page = chrome.new_context(
            viewport={"width": 400, "height": 800}, color_scheme="dark", java_script_enabled=False
        ).new_page()
        page.goto((out / "notebooks/3_dpo/02_how_dpo_learns.html").as_uri())
        still = page.locator(".plot img").first
        shot = still.screenshot(scale="css")  # what is seen: a filter has been at it
        with Image.open(io.BytesIO(shot)) as seen:
            assert seen.convert("L").resize((1, 1)).getpixel((0, 0)) < 64
        high = page.locator(".wide:has(math)").evaluate_all(
            "all => all.filter(e => e.scrollHeight > e.clientHeight).length"
        )
        assert high == 0
        page.goto((out / "notebooks/2_realtime/06_lawn_reindeer.html").as_uri())
        kinds = page.locator('main img[src$=".svg"]').evaluate_all(
            "all => all.map(e => getComputedStyle(e).filter !== 'none')"
        )
        assert set(kinds) == {True, False}, "waveforms are drawings, a reindeer is as it is"
        wider = (
            "all => all.map(e => e.parentElement).filter(e => e.scrollWidth > e.clientWidth).length"
        )
        page.goto((out / "notebooks/1_o1/02_reasoning_effort.html").as_uri())
        assert page.locator("table:has(td code)").evaluate_all(wider) == 0
        page.set_viewport_size({"width": 390, "height": 800})
        page.goto((out / "data/README.html").as_uri())
        (name,) = page.locator("td code", has_text=re.compile("^prices.csv$")).evaluate_all(
            "all => all.slice(0, 1).map(e => e.getClientRects().length)"
        )
        assert name <= 2, "a file's name is not a letter a line"
        page.goto((out / "helpers/local_api/README.html").as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        lines = page.locator("pre.drawn").evaluate(
            "e => e.getBoundingClientRect().height / parseFloat(getComputedStyle(e).lineHeight)"
        )
        drawn = page.locator("pre.drawn").inner_text().strip().count("\n") + 1
        assert abs(lines - drawn) < 2, "a drawing's lines do not wrap"
        page.goto((out / "index.html").as_uri())
        assert page.locator("table").evaluate_all(wider) == 0, "the map of all notebooks fits"


def test_with_a_repository_each_notebook_opens_elsewhere_and_without_one_no_page_names_any(
    pages, scratch
):
    assert not any("mybinder" in page or "codespaces.new" in page for page in pages.values())
    root, nb = scratch
    nbformat.write(nb, root / "notebooks/2_realtime/one.ipynb")
    make_site.make(root, root / "site", repository="us/day9")
    page = (root / "site/notebooks/2_realtime/one.html").read_text("utf-8")
    path = "notebooks%2F2_realtime%2Fone.ipynb"
    assert f'"https://mybinder.org/v2/gh/us/day9/HEAD?labpath={path}"' in page
    assert '"https://codespaces.new/us/day9"' in page and "no call over WebRTC" in page
    colab = "https://colab.research.google.com/github/us/day9/blob/main"
    assert f'"{colab}/notebooks/2_realtime/one.ipynb"' in page
    (cell,) = re.findall(r"<pre>(!git .*?)</pre>", page, re.S)
    assert html.unescape(cell).splitlines() == [
        "!git clone -q --depth 1 https://github.com/us/day9 /content/day9",
        f"!pip install -q {make_site.packages()}",
        "!python /content/day9/start.py link",
    ]
    assert "<pre>%cd /content/day9/notebooks/2_realtime</pre>" in page
    assert "mybinder" not in (root / "site/index.html").read_text("utf-8")


def test_in_colab_pip_is_asked_for_all_that_its_kernel_has_not():
    project = tomllib.loads((make_site.ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = [Requirement(line) for line in project["dependencies"]]
    asked = [Requirement(word) for word in shlex.split(make_site.packages())]
    assert {it.name for it in asked} | make_site.KERNELS_OWN == {it.name for it in named} - {
        "regex"  # for Windows on ARM alone
    }
    limits = {it.name: it.specifier for it in named}
    assert all(limits[it.name] == it.specifier and not it.marker for it in asked)


@pytest.mark.parametrize(
    "args, said",
    [
        (["example.org"], "example.org: the address of the site, such as https://"),
        (["https://example.org", "https://github.com/us/day9"], "a repository is owner/name"),
        (["https://example.org", "us/day9", "more"], "the address of the site"),
    ],
)
def test_what_is_no_address_and_no_repository_is_told(args, said, monkeypatch):
    monkeypatch.setattr(make_site, "make", None)  # which is not come to
    with pytest.raises(SystemExit, match=said):
        make_site.main(args)


def test_the_workflow_builds_it_with_the_one_command_and_hands_that_folder_to_pages():
    workflow = yaml.safe_load((make_site.ROOT / ".github/workflows/site.yml").read_text("utf-8"))
    assert workflow[True]["push"] == {"branches": ["main"]}  # YAML reads `on` as true
    jobs = workflow["jobs"]
    steps, (deploy,) = jobs["build"]["steps"], jobs["deploy"]["steps"]
    used = {s["uses"].partition("@")[0]: s.get("with", {}) for s in steps if "uses" in s}
    version = tuple(map(int, used["actions/setup-python"]["python-version"].split(".")))
    assert start.OLDEST <= version <= start.NEWEST

    install, build = (step for step in steps if "run" in step)
    assert install["run"] == "python start.py test --help"
    python, *command = shlex.split(build["run"])
    assert python == ".venv/bin/python"
    contributing = (make_site.ROOT / "CONTRIBUTING.md").read_text("utf-8")
    assert f"`python {' '.join(command[:2])} [ADDRESS [REPOSITORY]]`" in contributing
    assert command[2:] == ["$ADDRESS", "$GITHUB_REPOSITORY"]
    source = re.fullmatch(r"\$\{\{ steps\.(\w+)\.outputs\.base_url \}\}", build["env"]["ADDRESS"])
    (configured,) = (s["uses"] for s in steps if s.get("id") == source[1])
    assert configured.startswith("actions/configure-pages@")

    assert used["actions/upload-pages-artifact"]["path"] == make_site.OUT.name
    assert steps[-1]["uses"].startswith("actions/upload-pages-artifact@")
    assert deploy["uses"].startswith("actions/deploy-pages@") and jobs["deploy"]["needs"] == "build"
    assert jobs["deploy"]["permissions"] == {"pages": "write", "id-token": "write"}


# What was broken by hand, and what the build says of it.


@pytest.fixture
def scratch(tmp_path):
    """A project of one notebook with a sound and a figure, and a function that makes its site."""
    root = tmp_path / "project"
    for name in ("notebooks/2_realtime", "notebooks/diagrams", "data/audio"):
        (root / name).mkdir(parents=True)
    for name in ("data/audio/clips.csv", "data/audio/user-thanks.opus", make_site.PREVIEW):
        shutil.copy(make_site.ROOT / name, root / name)
    (root / "README.md").write_text(
        "# Us\n\n[one](notebooks/2_realtime/one.ipynb#Title)\n", "utf-8"
    )
    code = nbformat.v4.new_code_cell("hear()", execution_count=1)
    code.outputs = [
        nbformat.v4.new_output(
            "execute_result",
            {"text/plain": "Sound of you, 1.9 s: Thank you, and good night."},
            execution_count=1,
        ),
        nbformat.v4.new_output(
            "display_data",
            {outputs.PLOTLY: {"data": []}, "image/png": "AAAA", "text/plain": "Figure: a bar"},
        ),
    ]
    text = nbformat.v4.new_markdown_cell("# Title\n\n[home](../../README.md)")
    nb = nbformat.v4.new_notebook(cells=[text, code])
    nb.metadata["ran"] = refresh.codes(nb)
    return root, nb


def made(root, nb):
    nbformat.write(nb, root / "notebooks/2_realtime/one.ipynb")
    return make_site.make(root, root / "site")


def faults(root, nb):
    with pytest.raises(make_site.Faults) as error:
        made(root, nb)
    assert not (root / "site").exists(), "half a site is none"
    return str(error.value)


def test_a_sound_project_is_made(scratch):
    root, nb = scratch
    made(root, nb)
    page = (root / "site/notebooks/2_realtime/one.html").read_text("utf-8")
    assert 'src="../../data/audio/user-thanks.opus"' in page and 'alt="a bar"' in page


def test_a_cell_that_was_changed_and_not_run_is_named(scratch):
    root, nb = scratch
    nb.cells[1].execution_count = None
    assert "one.ipynb: the cell `hear()` was changed and not run" in faults(root, nb)
    nb.cells[1].execution_count = 7
    assert "one.ipynb: the cell `hear()` was run as number 7, not 1" in faults(root, nb)
    nb.cells[1].execution_count = 1
    nb.cells[1].source = "hear(2)"  # saved by JupyterLab with the number and outputs that it had
    assert "one.ipynb: the cell `hear(2)` was changed after `python -m tests" in faults(root, nb)


def test_a_sound_that_is_missing_is_named(scratch):
    root, nb = scratch
    (root / "data/audio/user-thanks.opus").unlink()
    assert "one.ipynb: the audio ../../data/audio/user-thanks.opus leads nowhere" in faults(
        root, nb
    )


def test_a_cell_that_stopped_is_named_unless_it_was_meant_to(scratch):
    root, nb = scratch
    nb.cells[1].outputs.append(nbformat.v4.new_output("error", ename="NameError", evalue="hear"))
    assert "one.ipynb: the cell `hear()` stopped with a NameError" in faults(root, nb)
    nb.cells[1].metadata["tags"] = ["raises-exception"]
    made(root, nb)


@pytest.mark.parametrize(
    "content, said",
    [
        (b"<<<<<<< HEAD\n{}", "it holds no notebook of format 4"),
        (b"[]", "it holds no notebook of format 4"),
        (b'{"nbformat": 3, "nbformat_minor": 0, "worksheets": []}', "no notebook of format 4"),
        (b'{"nbformat": 4, "cells": [], "\xff": 1}', "'utf-8' codec can't decode"),
    ],
)
def test_a_file_that_holds_no_notebook_is_named_and_nothing_is_said_of_its_links(
    scratch, content, said
):
    root, _ = scratch
    (root / "notebooks/2_realtime/one.ipynb").write_bytes(content)
    with pytest.raises(make_site.Faults, match=f"one.ipynb: .*{said}") as error:
        make_site.make(root, root / "site")
    assert "\n" not in str(error.value) and not (root / "site").exists()


@pytest.mark.parametrize(
    "name", ["data/audio/user-thanks.opus", make_site.PREVIEW, "data/audio/clips.csv", "README.md"]
)
def test_a_file_that_is_not_there_or_is_not_what_its_name_says_is_named(scratch, name):
    root, nb = scratch
    nb.cells[0].source += "\n\n![at work](../diagrams/at_work.png)"
    if name.endswith(make_site.AS_THEY_ARE):
        (root / name).write_text("version https://git-lfs.github.com/spec/v1\n", "utf-8")
        assert f"{name} holds no {Path(name).suffix}" in faults(root, nb)
    (root / name).unlink()
    assert name.rpartition("/")[2] in faults(root, nb)


def test_what_no_page_can_show_and_pages_at_one_address_are_named(scratch):
    root, nb = scratch
    nb.cells[1].outputs[1].data["image/png"] = "A"
    assert "one.ipynb: the img 1 is damaged" in faults(root, nb)
    nb.cells[1].outputs[1] = nbformat.v4.new_output("display_data", {"application/x": "1"})
    assert "one.ipynb: no page can show an output of application/x" in faults(root, nb)
    nb.cells[1].outputs.pop()
    (root / "notebooks/2_realtime/one.md").write_text("# One", "utf-8")
    nb.cells[0].source += "\n\n[x](one.md)"
    assert "one.md: its page would lie where that of notebooks/2_realtime/one.ipynb" in faults(
        root, nb
    )


def test_a_folder_that_is_no_theme_is_named(scratch):
    root, nb = scratch
    (root / "notebooks/9_new").mkdir()
    nbformat.write(nb, root / "notebooks/9_new/two.ipynb")
    (root / "README.md").write_text(
        "# Us\n\n[1](notebooks/2_realtime/one.ipynb) [2](notebooks/9_new/two.ipynb)\n", "utf-8"
    )
    assert "9_new/two.ipynb: its folder is none of THEMES in tests/tools/ref" in faults(root, nb)


def test_a_figure_without_a_still_is_named(scratch):
    root, nb = scratch
    del nb.cells[1].outputs[1].data["image/png"]
    assert "one.ipynb: the figure `Figure: a bar` has no still" in faults(root, nb)


@pytest.mark.parametrize(
    "text, said",
    [
        ("[x](../two.ipynb)", "the link ../two.ipynb leads nowhere"),
        ("[x](../../../outside.md)", "the link ../../../outside.md leads nowhere"),
        ("[x](../../README.md#Gone)", "README.md has no #Gone"),
        ("[x](#gone)", "notebooks/2_realtime/one.ipynb has no #gone"),
        ("![x](gone.png)", "the img gone.png leads nowhere"),
        ("![x](https://example.org/x.png)", "asks another host for https://example.org/x.png"),
        ("<video src='//example.org/x.mp4'></video>", "asks another host for //example.org/x.mp4"),
        ("<audio src='data:audio/wav;base64,AA'></audio>", "the audio is no file"),
        ("<img alt='x'>", "the img 1 has no src"),
        ("[x](file:///home/me/x.md)", "the link file:///home/me/x.md leads nowhere"),
    ],
)
def test_a_link_that_leads_nowhere_is_named(scratch, text, said):
    root, nb = scratch
    nb.cells[0].source += f"\n\n{text}"
    assert f"notebooks/2_realtime/one.ipynb: {said}" in faults(root, nb)


def test_a_notebook_that_no_link_leads_to_is_named(scratch):
    root, nb = scratch
    (root / "README.md").write_text("# Us\n\nNothing.\n", "utf-8")
    assert "one.ipynb: no link leads there from README.md" in faults(root, nb)
