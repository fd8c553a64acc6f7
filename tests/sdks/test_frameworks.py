"""Frameworks that nobody here wrote get from the local API what OpenAI would give: five tasks, over
both APIs. Run by hand, with `start.py test --frameworks tests/sdks/test_frameworks.py`. Where they
are not set up, only what was kept of them is held to what it says.
"""

import datetime
import importlib.metadata
import json
import os
import re

import pytest

import helpers
from helpers import running
from helpers.facts import tax
from helpers.sdks import frameworks
from tests.tools import make_frameworks

DAY = datetime.date(2024, 12, 17)
TRUE = {
    "ask": f"{round((350 - 32) / 1.8)} °C",
    "tool": f"Your federal income tax for 2024 is ${tax.tax(2024, 'single', 9325)}.",
    "schema": {
        "line 11": 28375 - 2500,
        "line 12": tax.standard_deduction(2024, "single", 1),
        "line 15": 28375 - 2500 - tax.standard_deduction(2024, "single", 1),
    },
    "stream": f"{DAY:%A}",
    "follow": f"2000-02-29 was a {datetime.date(2000, 2, 29):%A}.",
}
# DSPy writes a prompt of its own around each question, in which no question of ours stands alone.
OFF_THE_MAP = {("DSPy", "tool"), ("DSPy", "stream")}


@pytest.fixture(scope="module")
def there():
    """The frameworks, in children of this process: tests/early.py keeps them from all others."""
    packages = {name.lower() for name in importlib.metadata.packages_distributions()}
    lacking = [module for module in frameworks.MODULES if module not in packages]
    if lacking:
        pytest.skip(f"not here: {', '.join(lacking)}; python start.py test --frameworks")
    before, os.environ["TESTS_WITHOUT"] = os.environ["TESTS_WITHOUT"], ""
    yield
    os.environ["TESTS_WITHOUT"] = before


@pytest.fixture(scope="module", params=frameworks.FRAMEWORKS)
def framework(request):
    return request.param


@pytest.fixture(scope="module")
def runs(there, api, framework):
    """{"API task": what came of it, and what was sent}, from a process for each API."""
    return make_frameworks.runs(framework, api)


ANSWERED = []


@pytest.mark.parametrize("kind", frameworks.APIS)
@pytest.mark.parametrize("task", TRUE)
def test_the_answer_is_true(framework, runs, kind, task):
    done = runs[f"{kind} {task}"]
    if (framework, task) in OFF_THE_MAP:
        assert "nothing was made up" in done["error"]
        return
    said = done.get("said", done.get("error"))
    if task == "stream":
        assert TRUE[task] in "".join(said) and len(said) > 3, said
    else:
        assert said == TRUE[task]
    ANSWERED.append(framework)


def test_what_is_kept_is_what_it_sends(framework, runs):
    # ids differ where a framework makes them; what is said of an error tells which
    same = lambda made: re.sub(r'"[\w-]*[0-9a-f]{8}[\w-]*"', '"an id"', json.dumps(made))
    of = lambda made: {name: run | {"error": "error" in run} for name, run in made.items()}
    assert same(of(runs)) == same(of(frameworks.kept(framework)["runs"]))


def test_how_many_are_answered(there, record_property):
    asked = len(frameworks.FRAMEWORKS) * len(frameworks.APIS) * len(TRUE)
    record_property("told", f"frameworks: {len(ANSWERED)} of {asked} tasks answered truly")
    assert len(ANSWERED) == asked - len(OFF_THE_MAP) * len(frameworks.APIS)


def test_a_notebook_gets_the_same_with_and_without_them(there, monkeypatch):
    rule, wish = make_frameworks.WORDS["ask"]
    helpers.connect()
    for there_is in (True, False):
        monkeypatch.setattr(frameworks, "installed", lambda name: there_is)
        done = frameworks.run("LangChain", "chat", "ask", rule, wish.replace("350", "212"))
        again = frameworks.run("LangChain", "chat", "tool", *make_frameworks.WORDS["tool"])
        assert (done.said, again.said) == ("100 °C", TRUE["tool"])
        assert done.request["temperature"] == 1.0 and len(again.exchanges) == 2
        with pytest.raises(RuntimeError, match=r"LangChain: Off the map\. .*No recording"):
            frameworks.run("LangChain", "chat", "ask", rule, "Who wrote this?")


# --- where they are not installed -----------------------------------------------------------------


@pytest.fixture
def absent():
    helpers.connect()


@pytest.mark.parametrize("name", frameworks.FRAMEWORKS)
def test_what_was_kept_is_answered_anew(absent, name):
    for api in frameworks.APIS:
        for task, words in make_frameworks.WORDS.items():
            once = frameworks.kept(name)["runs"][f"{api} {task}"]
            if "error" in once:
                with pytest.raises(RuntimeError, match="Off the map"):
                    frameworks.run(name, api, task, *words)
                continue
            done = frameworks.run(name, api, task, *words)
            one = lambda said: "".join(said) if task == "stream" else said
            assert one(done.said) == one(once["said"]), (api, task)
            assert [e["request"] for e in done.exchanges] == once["requests"]


def test_other_words_are_asked_where_one_request_asks_them(absent):
    rule, wish = make_frameworks.WORDS["ask"]
    done = frameworks.run("LangChain", "chat", "ask", rule, wish.replace("350", "212"))
    assert done.said == "100 °C" and "212 °F" in json.dumps(done.request, ensure_ascii=False)
    with pytest.raises(LookupError, match="start.py lab --frameworks"):
        frameworks.run("LangChain", "chat", "tool", "Tax year 2023: what do I owe?")


def test_a_program_is_kept_running_until_it_is_changed_or_interrupted(monkeypatch, tmp_path):
    """In the place of a framework: an echo."""
    program = tmp_path / "with_echo.py"
    echo = "import json, sys, time\nfor line in sys.stdin:\n    print(json.dumps({'said': line.split()[-1] + %r}), flush=True)\n"
    program.write_text(echo % "")
    monkeypatch.setattr(frameworks, "FOLDER", tmp_path)
    monkeypatch.setitem(frameworks.FRAMEWORKS, "Echo", ("with_echo", "echo", "json"))
    helpers.connect()
    server = running.server()
    first = frameworks._program("Echo", server)
    assert first.do("chat", "stream", "a") == {"said": '"a"]'}
    assert frameworks._program("Echo", server) is first
    program.write_text(echo % "!")
    os.utime(program, (1, 1))
    second = frameworks._program("Echo", server)
    assert (
        second.do("chat", "stream", "b") == {"said": '"b"]!'} and first.process.poll() is not None
    )

    class Interrupted:
        def __iter__(self):
            raise KeyboardInterrupt

        close = second.process.stdout.close

    second.process.stdout = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        second.do("chat", "stream", "c")
    third = frameworks._program("Echo", server)
    assert third.do("chat", "stream", "d") == {"said": '"d"]!'}
    program.write_text("raise SystemExit('no such package')")
    os.utime(program, (2, 2))
    with pytest.raises(RuntimeError, match="Echo: its program ended(?s:.)*no such package"):
        frameworks._program("Echo", server).do("chat", "stream", "e")


@pytest.mark.parametrize(
    "wrong", [("Cobol", "chat", "ask"), ("DSPy", "soap", "ask"), ("DSPy", "chat", "sing")]
)
def test_a_name_that_is_none_is_told_with_those_that_are(wrong):
    with pytest.raises(LookupError, match="there are"):
        frameworks.run(*wrong, "")


def test_the_number_of_words_is_told():
    with pytest.raises(TypeError, match="'ask' takes: rule, wish. Given: 1 texts."):
        frameworks.run("DSPy", "chat", "ask", "What is 350 °F?")
