"""The checker of Day 9 names: finds each where it stands, and nothing in today's code."""

import json
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.facts import prices
from helpers.sdks import migration
from helpers.sdks.migration import rules, search

ROOT = Path(__file__).resolve().parents[2]
THEN, NOW = (ROOT / "tests" / "data" / "migration" / when for when in ("then", "now"))
# inside a string, where a comment would be text; and in JSON, which has none
UNMARKED = {
    ("ask.sh", 3): ["o1-mini"],
    ("ask.sh", 4): ["max_tokens"],
    ("package.json", 3): 2 * ["openai-realtime-api-beta"],
}


def expected():
    """[(file, line, name)] as the comments of the snippets have it."""
    found = []
    for file in sorted(THEN.iterdir()):
        for n, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            marked = re.search(r"names: (.*?)(?: -->)?$", line)
            names = marked[1].split(", ") if marked else UNMARKED.get((file.name, n), [])
            found += [(file.name, n, name) for name in names]
    return sorted(found)


def where(findings):
    return sorted((f.file, f.line, f.name) for f in findings)


def source(tmp_path, text, name="app.py"):
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return migration.scan(file if file.parent == tmp_path else tmp_path)


def test_code_of_2024_is_found_line_by_line():
    assert where(migration.scan(THEN)) == expected() and len(expected()) > 60


def test_a_finding_points_at_the_name():
    for f in migration.scan(THEN / "voice.py"):
        line = (THEN / "voice.py").read_text(encoding="utf-8").splitlines()[f.line - 1]
        shown = next(
            row
            for row in migration.names() + [{"name": f.name, "pattern": ""}]
            if row["name"] == f.name
        )
        said = line[f.column - 1 :]
        assert said.startswith(shown["pattern"] or f.name), (f, said)


def test_the_same_code_of_today_gives_nothing():
    assert migration.scan(NOW) == []
    assert {f.name for f in NOW.iterdir()} <= {f.name for f in THEN.iterdir()}


def test_a_call_around_a_dictionary_may_end_its_line(tmp_path):
    """As formatters lay it out; beside it the old place, which is found in the same layout."""
    today = 'session = dict(\n  type="realtime",\n  audio=dict(\n    {"input": dict(\n      {"turn_detection": None}\n    )}\n  ),\n)\n'
    assert source(tmp_path, today) == []
    old = 'session = dict(\n  {"turn_detection": None}\n)\n'
    assert [f.name for f in source(tmp_path, old)] == ["turn_detection"]


def test_every_day_9_name_is_found_in_a_snippet():
    assert {row["name"] for row in migration.names()} <= {f.name for f in migration.scan(THEN)}


@pytest.mark.parametrize("model", migration.ended())
def test_every_model_that_ends_is_found_however_it_is_written(model, tmp_path):
    for text, name in (
        (f'client.chat.completions.create(model="{model}")', "a.py"),
        (f"const x = {{ model: '{model}' }};", "a.js"),
        (f'{{"model": "{model}"}}', "a.json"),
        (f"model: {model}\n", "a.yaml"),
        (f"CHAT_MODEL={model}\n", ".env"),
        (f'curl -d \'{{"model": "{model}"}}\'', "a.sh"),
        (f"```python\nmodel = '{model}'\n```\n", "a.md"),
        (f"var m = ChatModel.{re.sub('[.-]', '_', model).upper()};", "A.java"),
        (f'use(model="ft:{model}:org::x")', "b.py"),
    ):
        found = source(tmp_path, text, name)
        assert [f.name for f in found] == [model], (text, found)
        assert found[0].since == migration.ended()[model]["shutdown"]
        assert found[0].instead == prices.replacement(model)


@pytest.mark.parametrize("model", migration.ended())
def test_no_model_that_ends_is_today_s_name_of_another(model, tmp_path):
    (found,) = source(tmp_path, f'model="{model}"')
    assert found.instead not in migration.ended()
    assert found.instead or not migration.ended()[model]["replacement"]


def test_a_replacement_that_ends_too_is_said_to(tmp_path):
    (found,) = source(tmp_path, 'model="o1-mini"')
    assert found.instead == "gpt-5.6-sol"
    assert "OpenAI names o4-mini for it, whose own end is 2026-10-23." in str(found)
    (found,) = source(tmp_path, 'model="o1"')
    assert found.instead == "gpt-5.6-sol" and "whose own end" not in str(found)


def test_a_model_whose_end_is_not_certain_is_found_and_said_to_be(tmp_path):
    (found,) = source(tmp_path, 'connect(model="gpt-4o-mini-realtime-preview-2024-12-17")')
    assert (found.since, found.instead) == (
        "",
        "gpt-realtime-2.1-mini",
    ) and "on a day that sources give differently" in str(found)


def test_models_that_live_are_not_found(tmp_path):
    import csv

    with open(ROOT / "data" / "models.csv", encoding="utf-8", newline="") as rows:
        alive = [
            row["model"]
            for row in csv.DictReader(rows)
            if not row["shutdown"] and not row["replacement"]
        ]
    assert source(tmp_path, "".join(f'ask(model="{model}")\n' for model in alive)) == []


def test_the_table_names_its_sources():
    contexts = {row["context"] for row in migration.names()} - {"", "offer"}
    assert contexts == set(migration.CONTEXTS)
    for row in migration.names():
        assert (
            row["source"]
            and row["checked_on"]
            and row["change"]
            and row["found"] in ("text", "value", "key", "code")
        ), row
        assert row["status"] in ("refused", "renamed", "removed", "shut", "closing")
        assert row["status"] == "renamed" or row["instead"] or row["change"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\d|", row["since"])
    assert len({(row["name"], row["context"]) for row in migration.names()}) == len(
        migration.names()
    )


# The collection teaches Day 9 names: where they stand in its own helpers, and why.
ON_PURPOSE = {
    "dpo/own_model.py": {"fine_tuning.jobs.create", "method dpo"},  # asks the local API for a job
    "facts/policy.py": {"method dpo"},
    "facts/preference_file.py": {
        "method dpo",
        "preferred_completion",
        "non_preferred_completion",
    },  # the format is taught
    "local_api/realtime/calls.py": {
        "/realtime/sessions",
        "/realtime/transcription_sessions",
        "voice",  # of its own class Session
    },  # answers them as OpenAI does: refused
    "local_api/realtime/websocket.py": {"OpenAI-Beta: realtime=v1", "openai-beta.realtime-v1"},
    # they look for them
    "sdks/migration/rules.py": {"client_secret.value"},
    "sdks/migration/speaks.py": {"OpenAI-Beta: realtime=v1"},
    "sdks/migration/texts.py": {"client_secret.value"},
}


def test_the_helpers_hold_no_day_9_name_but_on_purpose():
    odd = [
        f
        for f in migration.scan(ROOT / "helpers")
        if f.kind != "model"
        and not f.file.startswith("exercises/")
        and f.name not in ON_PURPOSE.get(f.file, ())
    ]
    assert odd == []


def test_the_five_clients_hold_day_9_models_and_tools_alone():
    found = migration.scan(ROOT / "notebooks" / "5_sdks" / "clients")
    assert {f.name for f in found} == {"o1", "gpt-4o", "tools"} and {
        f.file.split("/")[0] for f in found
    } == {"curl", "python", "node", "go", "java"}


REFUSED_ON_PURPOSE = {
    ("02_from_day9_to_today.ipynb", 19): {"OpenAI-Beta: realtime=v1"},
    ("02_from_day9_to_today.ipynb", 21): {
        "modalities",
        "voice",
        "turn_detection",
        "max_response_output_tokens",
    },
}


def test_the_notebooks_todays_cells_hold_none(tmp_path):
    """What is written in today's shape: cells that ask gpt-5.6-sol in the Responses API or a
    present voice.
    """
    checked = 0
    for book in sorted((ROOT / "notebooks").rglob("*.ipynb")):
        for n, cell in enumerate(json.loads(book.read_text(encoding="utf-8"))["cells"], 1):
            text = "".join(cell["source"])
            if (
                cell["cell_type"] == "code"
                and re.search(r"client\.responses\.|gpt-realtime-2\.1", text)
                and "gpt-4o" not in text
                and '"o1"' not in text
                and "chat." not in text
            ):
                checked += 1
                assert {f.name for f in source(tmp_path, text)} <= REFUSED_ON_PURPOSE.get(
                    (book.name, n), set()
                ), (book, n)
    assert checked > 8


@pytest.mark.parametrize(
    "text",
    [
        '# model="o1"\n',
        'quiz = ["o1", "o2"]',
        'style = {"voice": "calm", "temperature": 3}',
        'speak(voice="alloy")',
        'x = {"max_tokens": 5}',
        'client.chat.completions.create(model="llama3", max_tokens=5)',
        'log("response.audio.delta came")',
        'requests.post("https://example.org/realtime-news")',
        'db.session.create(name="x")',
        "modalities = ['ct', 'mri']",
        'open("https://example.org/docs/realtime")',
        'MODEL = "gpt-realtime-2.1"\nVOICE = "marin"\n',
        'def f(tools=None): pass\nmodel = "gpt-5.6-sol"\nmessages = []\ntools = []',
        'turn_detection = {"type": "server_vad"}',
        'train(method="dpo")',
        'client.responses.create(input="a", metadata={"messages": "3"})',
    ],
)
def test_what_only_looks_like_one_is_left_alone(text, tmp_path):
    assert source(tmp_path, text) == []


@pytest.mark.parametrize("folder", ["node_modules", "venv", ".git", "my_env"])
def test_packages_and_hidden_folders_are_skipped(folder, tmp_path):
    (tmp_path / folder).mkdir()
    if folder == "my_env":
        (tmp_path / folder / "pyvenv.cfg").touch()
    (tmp_path / folder / "a.py").write_text('model = "o1-mini"', encoding="utf-8")
    assert migration.scan(tmp_path) == []


def test_what_may_be_another_name_is_said_to_be(tmp_path):
    sure, perhaps = source(tmp_path, 'ask(model="o3-mini")\nprint("o3-mini")')
    assert str(sure).startswith("app.py:1:12: model o3-mini") and str(perhaps).startswith(
        "app.py:2:8: perhaps model o3-mini"
    )


@pytest.mark.parametrize("end", sorted(migration.ENDS))
def test_each_kind_of_file_is_read(end, tmp_path):
    text = {
        ".ipynb": json.dumps({"cells": [{"cell_type": "code", "source": 'ask(model="o1-mini")'}]}),
        ".json": '{"model": "o1-mini"}',
        ".jsonl": '{"model": "o1-mini"}',
    }.get(
        end,
        '```python\nask(model="o1-mini")\n```\n'
        if end in migration.PROSE
        else 'model = "o1-mini"\n',
    )
    (tmp_path / f"a{end}").write_text(text, encoding="utf-8")
    assert [f.name for f in migration.scan(tmp_path)] == ["o1-mini"] and migration.files(
        tmp_path
    ) == [tmp_path / f"a{end}"]


def test_a_notebook_is_read_cell_by_cell(tmp_path):
    cells = [
        {
            "cell_type": "markdown",
            "source": ['`model = "o1"` was\n', "```python\n", "model='o1-mini'\n", "```\n"],
        },
        {"cell_type": "code", "source": ["M = 'o1'\n", "\n"]},
        {
            "cell_type": "code",
            "source": "%pip list\ncreate(model=M,\n  max_tokens=5)",
            "outputs": [{"text": "model='o1-pro'"}],
        },
    ]
    found = source(tmp_path, json.dumps({"cells": cells}), "a.ipynb")
    assert where(found) == [("a.ipynb cell 1", 3, "o1-mini"), ("a.ipynb cell 3", 3, "max_tokens")]


def test_bad_input_is_named_and_loses_nothing(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no .*nowhere"):
        migration.scan(tmp_path / "nowhere")
    (tmp_path / "latin.py").write_bytes('name = "Zoë"\nmodel = "o1-mini"\n'.encode("latin-1"))
    (tmp_path / "broken.ipynb").write_text(
        '{"cells": [{"source": ["model=\'o1-mini\'"]', encoding="utf-8"
    )
    (tmp_path / "broken.py").write_text('def f(:\n  ask(model="o1-mini"', encoding="utf-8")
    (tmp_path / "picture.py").write_bytes(b"\x89PNG\0\0")
    (tmp_path / "huge.json").write_text('"' + "x" * migration.LARGEST, encoding="utf-8")
    (tmp_path / "empty.py").touch()
    said = {(f.file, f.kind) for f in migration.scan(tmp_path)}
    assert said == {
        ("latin.py", "read in part"),
        ("latin.py", "model"),
        ("broken.ipynb", "read in part"),
        ("broken.ipynb", "model"),
        ("broken.py", "model"),
        ("picture.py", "not read"),
        ("huge.json", "not read"),
    }


def test_a_locked_folder_within_is_a_row_and_stops_nothing(tmp_path, monkeypatch):
    locked = tmp_path / "locked"
    locked.mkdir()
    (tmp_path / "a.py").write_text('ask(model="o1-mini")', encoding="utf-8")

    def refusing(real, refused):
        def ask(path, *args, **more):
            if refused(Path(path)):
                raise PermissionError(13, "Permission denied", str(path))
            return real(path, *args, **more)

        return ask

    # no root is kept out by a mode
    monkeypatch.setattr(os, "stat", refusing(os.stat, lambda path: path.parent == locked))
    monkeypatch.setattr(os, "scandir", refusing(os.scandir, lambda path: path == locked))
    said = {(f.file, f.kind) for f in migration.scan(tmp_path)}
    assert said == {("a.py", "model"), ("locked", "not read")}


def test_no_bytes_whatever_raise(tmp_path):
    dice = random.Random(9)
    bits = [
        '"',
        "'",
        "`",
        "\\",
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        "\n",
        "/*",
        "//",
        "#",
        '"""',
        "'''",
        "```",
        "model",
        "=",
        ":",
        '"o1"',
        "tools",
        "\0",
        "é",
        "𝄞",
        "\ud800",
        "session.update",
        ".",
        ";",
        " ",
    ]
    for end in sorted(migration.ENDS):
        for _ in range(12):
            text = "".join(dice.choices(bits, k=dice.randrange(400)))
            (tmp_path / f"a{end}").write_bytes(
                dice.choice(
                    [text.encode("utf-8", "surrogatepass"), dice.randbytes(300).replace(b"\0", b"")]
                )
            )
            migration.scan(tmp_path / f"a{end}")
        # one long line
        (tmp_path / f"a{end}").write_text(dice.choice(bits[:4]) * 20_000, encoding="utf-8")
        migration.scan(tmp_path / f"a{end}")


def test_the_command_line_prints_and_ends_with_1_for_findings(tmp_path, capsys):
    shutil.copy(THEN / "settings.yaml", tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "helpers.sdks.migration", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (
        1,
        "settings.yaml:2:13: model o1 (shutdown 2026-10-23): now gpt-5.6-sol.\n",
    )
    assert done.stderr == "1 name in 1 of 1 files read.\n"
    assert migration.main([str(NOW)]) == 0 and capsys.readouterr().out == ""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.xyz").touch()
    assert (
        migration.main([str(tmp_path / "other")]) == 0
        and "Nothing was read: no file there ends in one of .astro .bash "
        in capsys.readouterr().err
    )
    assert (
        migration.main([str(tmp_path / "nowhere")]) == 2
        and "There is no" in capsys.readouterr().err
    )


CASES = ROOT / "tests" / "data" / "migration" / "cases"
# {file: the names that it holds, at least}
RECALL = {
    "01_cmake/CMakeLists.txt": {"gpt-4o-mini-realtime-preview"},
    "02_property.js": {"turn_detection", "input_audio_format", "pcm16"},
    "04_fields.py": {
        "modalities",
        "input_audio_format",
        "turn_detection",
        "max_response_output_tokens",
    },
    "06_tags.go": {"modalities", "input_audio_format", "turn_detection"},
    "08_builder.c": {"modalities", "input_audio_format", "g711_ulaw", "turn_detection"},
    "10_secret.go": {"client_secret.value"},
    "13_typed.py": {"modalities"},
    "15_assistants.cs": {"beta.assistants"},
    "16_hidden/.github/workflows/nightly.yml": {"o1-preview"},
    "18_base.js": {"POST /v1/realtime"},
}


def test_the_words_that_are_looked_for_first_hide_nothing(tmp_path, monkeypatch):
    """Each snippet of 2024, whole and in pieces of three lines, where the words of one may lack."""
    for file in (*THEN.iterdir(), *(f for f in CASES.rglob("*") if f.is_file())):
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        for n in range(0, len(lines), 3):
            piece = tmp_path / f"{file.parent.name}_{file.stem}" / f"{n}{file.suffix}"
            piece.parent.mkdir(exist_ok=True)
            piece.write_text("".join(lines[n : n + 3]), encoding="utf-8")
    looked_for = [migration.scan(folder) for folder in (THEN, CASES, tmp_path)]
    monkeypatch.setattr(search, "possible", lambda lower, end="": (migration.names(), True))
    monkeypatch.setattr(search, "has_words", lambda text: True)
    assert [migration.scan(folder) for folder in (THEN, CASES, tmp_path)] == looked_for
    assert len(looked_for[2]) > 100


@pytest.mark.parametrize(
    "text, quotes",
    [
        ("model: o1-mini", ""),
        ("'openai/o1-mini'", "\"'"),
        ('"ft:o1-mini:org::x"', "\"'"),
        ('x = "o1-mini\\n"', "\"'"),
        ("--model=o1-mini", "\"'"),
        ('MODEL_NAME = "openai:o1-mini"', "\"'"),
        ("o1-mini", ""),
    ],
)
def test_an_id_is_seen_wherever_it_may_stand(text, quotes):
    assert rules.has_id(text, quotes)
    assert not rules.has_id(text.replace("o1-mini", "pro1-mini-x"), quotes)


def test_names_in_other_forms_are_found_too():
    """Reduced from third-party code: members, tags, builders, typed calls, hidden folders."""
    found = {}
    for f in migration.scan(CASES / "recall"):
        assert f.sure, f
        found.setdefault(f.file, set()).add(f.name)
    assert found.keys() == RECALL.keys()
    for file, wanted in RECALL.items():
        assert wanted <= found[file], (file, found[file])


def test_right_code_of_today_and_of_other_makers_is_left_alone():
    found = migration.scan(CASES / "precise")
    # right today, and its end is announced
    assert [f.name for f in found if f.sure] == ["gpt-4o-mini-tts"]
    assert {f.file for f in found if not f.sure} == {"09_record.yml"}


def test_a_name_and_its_type_are_one_finding():
    assert [f.name for f in migration.scan(CASES / "double")] == ["voice"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("interface RealtimeSession {\n  modalities?: string[];\n}", "a.ts"),
        ('session["modalities"] = ["text"]', "a.py"),
        ("sessionConfig.modalities = ['text']", "a.js"),
        ("[JsonPropertyName(\"modalities\")]\npublic string[] Modalities { get; set; }\n"
         "[JsonPropertyName(\"input_audio_format\")]\npublic string In { get; set; }", "A.cs"),
        ('class RealtimeSession(@SerialName("modalities") val modes: List<String>)', "A.kt"),
        ('val session = mapOf("modalities" to listOf("text"))', "A.kt"),
        ('#[serde(rename = "modalities")]\nmodes: Vec<String>,\n'
         '#[serde(rename = "input_audio_format")]\ninput: String', "a.rs"),
        ('session.put("modalities", list)', "A.java"),
        ('let session = SessionConfig { modalities: vec!["text"] };', "a.rs"),
        ("SESSION = SessionProperties(modalities=['text'])", "a.py"),
        ('send({"type": "response.create", "response": {"modalities": ["text"]}})', "a.py"),
    ],
)  # fmt: skip
def test_a_parameter_is_found_however_it_is_declared(text, name, tmp_path):
    found = [f.name for f in source(tmp_path, text, name)]
    assert found.count("modalities") == 1, found


@pytest.mark.parametrize(
    ("text", "name", "names"),
    [
        ("realtime.on('server.response.audio.delta', play)", "a.js", ["response.audio.delta"]),
        ("enum:\n  - response.text.done\n  - response.output_text.done\n", "a.yaml", ["response.text.done"]),
        ("mapping:\n  conversation.item.created: '#/Created'\n", "a.yml", ["conversation.item.created"]),
        ("# of openai, assistants=v2\npaths:\n  /assistants/{id}:\n    get: x\nurl: OpenAI-Beta=assistants=v2", "a.yaml", ["/v1/assistants", "OpenAI-Beta: assistants=v2"]),
        ("$payload = Payload::list('fine_tuning/jobs', $of);", "a.php", ["/fine_tuning/jobs"]),
        ("path = 'wss://x.openai.azure.com/openai/realtime?deployment=gpt-4o-realtime-preview'", "a.py", ["gpt-4o-realtime-preview"]),
        ('var client = new AssistantClient(key);\nawait client.CreateRunStreamingAsync(t, a);\nclient.ModifyAssistant(a);', "A.cs", ["beta.assistants", "beta.threads", "beta.assistants"]),
        ("import com.aallam.openai.api.assistant.AssistantId\nval run = openAI.getRun(thread.id, run.id)", "a.kt", ["beta.threads"]),
        ('if (raw.ContainsKey("input_audio_format")) realtime();', "A.cs", ["input_audio_format"]),
        ('assert answer.session["input_audio_format"] == x  # realtime', "a.py", ["input_audio_format"]),
        ('In = Literal["pcm16", "g711_alaw"]\nOut = Literal["g711_ulaw"]\nimport realtime', "a.py", ["g711_alaw", "g711_ulaw"]),
        ("if (x) return this.sessionConfig.turn_detection?.type; // realtime", "a.js", ["turn_detection"]),
        ("f !== void 0 && (this.sessionConfig.turn_detection = f); realtime", "a.js", ["turn_detection"]),
        ('self.post("/threads/runs", request).await?; // openai\nuse openai', "a.rs", ["/v1/threads"]),
        ('await client.configure(modalities={"text"}, turn_detection=None)  # rt\nimport realtime', "a.py", ["modalities", "turn_detection"]),
        ('use crate::OpenAIError;\nself.get(&format!("/threads/{}/messages/{id}", thread))', "a.rs", ["/v1/threads"]),
    ],
)  # fmt: skip
def test_names_of_2024_are_found_in_the_forms_of_clients(text, name, names, tmp_path):
    assert [f.name for f in source(tmp_path, text, name)] == names


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("from livekit.plugins import openai\nsession = AgentSession(turn_detection=x)", "a.py"),
        ("import { RealtimeAgent } from '@openai/agents/realtime'\n"
         "const session = new RealtimeSession(agent, { config: { voice: 'ash' } })", "a.ts"),
        ('ws = connect("wss://dashscope.aliyuncs.com/api-ws/v1/realtime")\n'
         'ws.send({"type": "session.update", "session": {"modalities": ["text"]}})\n'
         'if e["type"] == "response.audio.delta": play()', "a.py"),
        ('if (e.type === "response.audio.delta" || e.type === "response.output_audio.delta") {}',
         "a.js"),
        ("public enum Voice: String { case alloy }\nstruct RealtimeSession {}", "a.swift"),
        ('{"paths": ["paths/fine_tuning/jobs/post/create.yml"], "by": "openai"}', "a.json"),
        ('from mistralai import Mistral\nclient.fine_tuning.jobs.create(model="m")', "a.py"),
        ("interface IOpenAI { Task CreateAssistant(string name); }", "A.cs"),
        ("openai:\n  operationId: createAssistant", "a.yml"),
        ('secret = client.realtime.client_secrets.create()\nprint(secret.value)', "a.py"),
        ('await fetch(`${base}/realtime/calls`, { method: "POST", body: sdp })', "a.js"),
        ('await fetch("https://api.openai.com/v1/realtime?model=m",\n'
         '  { headers: { Upgrade: "websocket" } })', "a.js"),
        ('import openai from "openai"\nrouter.get("/assistants"); fetch("/api/threads")', "a.js"),
        ("client.vector_stores.create(name='guides')", "a.py"),
        ('ws.send({"type": "response.create", "temperature": 1, "model": "gpt-6"})  # realtime', "a.py"),
        ("x?: Session.InputAudioTranscription; y = session_create_params.turn_detection // realtime", "a.ts"),
        ("import openai, mlflow\nrun = mlflow.get_run(id)\nclient.create_run(id)", "a.py"),
        ("import mlflow.openai\nx = 'paths/fine_tuning/jobs'", "a.py"),
        ("data:\n  type: response.audio.delta\n", "voice_live/a.yaml"),
        ("import openai\nsession = x; kinds = ['voice', 'modalities']", "a.py"),
        ("new Options(outputModalities = m, outputAudio = a, temperature = 0.1)", "A.java"),
        ('ws.headers = {"OpenAI-Beta": "realtime=v1"}\nws.url = "wss://api.together.xyz/v1"',
         "together.py"),
        ('ws.send({"type": "session.update", "session": {"turn_detection": {"type": "none"}}})',
         "test_xai.py"),
    ],
)  # fmt: skip
def test_names_that_are_right_where_they_stand_are_left_alone(text, name, tmp_path):
    assert source(tmp_path, text, name) == []


@pytest.mark.parametrize(
    "text",
    ['M = "gpt-4o-" + "realtime-preview"', 'M = ("gpt-4o-"\n     "realtime-preview")'],
)
def test_an_id_in_a_split_text_is_read_whole(text, tmp_path):
    assert [f.name for f in source(tmp_path, text)] == ["gpt-4o-realtime-preview"]


@pytest.mark.parametrize(
    ("text", "sure"),
    [
        ('if model.startswith(("o1", "gpt-4o")): ...', False),
        ('if strings.HasPrefix(model, "gpt-4o") {', False),
        ('if model == "gpt-4o": ...', True),
        ('assert answer == Answer(model="gpt-4o", usage=Usage(3, 4))', False),
        ('line = \'{"model": "gpt-4o", "choices": []}\'', False),
        ('ask(model="gpt-4o")\nreport.usage = 3', True),
        (
            'got = {"type": "response.completed", "response": {"id": "resp_1", "model": "gpt-4o"}}',
            False,
        ),
        ('send({"id": "evt_1", "model": "gpt-4o"})', True),
        ('O1_PREVIEW = "o1-preview"', True),
        ('LIMITS = {"o1-preview": 3}', False),
        ('import azure\nURL = "/voice_live"\nsend({"session": {"modalities": ["text"]}})', None),
    ],
)
def test_a_name_may_be_what_was_or_what_others_begin_with(text, sure, tmp_path):
    """None: no finding."""
    found = {f.sure for f in source(tmp_path, text)}
    assert found == (set() if sure is None else {sure})


LIKE_C = ("a.cs", "a.java", "a.groovy", "a.c", "a.cpp", "a.m", "a.mm")


@pytest.mark.parametrize("line", ["a\n", "\n", "abc def\n"])
@pytest.mark.parametrize("name", LIKE_C)
def test_what_stands_behind_many_short_lines_is_read(line, name, tmp_path):
    found = source(tmp_path, line * 20_000 + 'model = "o1-mini";', name)
    assert [(f.name, f.line) for f in found] == [("o1-mini", 20_001)]


@pytest.mark.parametrize("name", LIKE_C)
def test_comments_and_strings_of_languages_like_c_are_told_apart(name, tmp_path):
    text = """// model = "o1-mini"
/* model = "o1-mini"
   model = "o1-mini" */
url = "https://a.b/*"; quote = '"'; escaped = "\\""; model = "o1-preview"; // "
model = "o1-preview"
"""
    found = [(f.name, f.line) for f in source(tmp_path, text, name)]
    assert found == [("o1-preview", 4), ("o1-preview", 5)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('var path = @"C:\\"; var model = "o1-mini";', "a.cs"),
        ('var said = @"a ""b"" // c"; var model = "o1-mini";', "a.cs"),
        ('var said = """a "b" // c"""; var model = "o1-mini";', "a.cs"),
        ('var said = """\n a "b" // c\n """; var model = "o1-mini";', "a.java"),
        ('auto said = R"x(a "b" // c)x"; auto model = "o1-mini";', "a.cpp"),
        ("#if 0\nmodel = \"o1-preview\"\n#endif\nint n = 1'000; model = \"o1-mini\";", "a.cpp"),
        ("def said = 'a // b'; def model = \"o1-mini\"", "a.groovy"),
    ],
)  # fmt: skip
def test_strings_of_each_of_them_end_where_they_end(text, name, tmp_path):
    assert [f.name for f in source(tmp_path, text, name)] == ["o1-mini"]


@pytest.mark.parametrize("opens", ["/* abc\n", "<!-- abc\n"])
@pytest.mark.parametrize("name", ["a.ts", "a.go", "a.html", "a.http"])
def test_what_stands_behind_a_comment_that_nothing_closes_is_read(opens, name, tmp_path):
    found = source(tmp_path, opens * 16_000 + 'model = "o1-mini"', name)
    assert [(f.name, f.line) for f in found] == [("o1-mini", 16_001)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('var model string = "o1-mini"', "a.go"),
        ("param chatModel string = 'o1-mini'", "a.bicep"),
        ('const char *model = "o1-mini";', "a.c"),
    ],
)
def test_a_model_is_named_whatever_type_is_told(text, name, tmp_path):
    assert [(f.name, f.sure) for f in source(tmp_path, text, name)] == [("o1-mini", True)]


def test_a_notebook_of_many_constants_is_read(tmp_path):
    cells = [f'M{i} = "o1-mini"' for i in range(4_000)] + ["ask(model=M7)"]
    book = {"cells": [{"cell_type": "code", "source": [cell]} for cell in cells]}
    found = source(tmp_path, json.dumps(book), "a.ipynb")
    assert len(found) == 4_000 and found[-1].file == "a.ipynb cell 4000"


def test_records_and_fixtures_are_perhaps(tmp_path):
    (tmp_path / "fixtures").mkdir()
    (tmp_path / "fixtures" / "a.py").write_text('ask(model="o1-mini")', encoding="utf-8")
    line = '{"model": "o1-mini", "usage": {"total_tokens": 3}}'
    (tmp_path / "answer.json").write_text(line, encoding="utf-8")
    (tmp_path / "settings.json").write_text('{"model": "o1-mini"}', encoding="utf-8")
    found = {f.file: f.sure for f in migration.scan(tmp_path)}
    assert found == {"answer.json": False, "fixtures/a.py": False, "settings.json": True}


def test_what_is_not_read_is_told(tmp_path):
    (tmp_path / "dist").mkdir()
    for file in ("a.py", "b.xyz", "c.xyz", "d.min.js", "package-lock.json", "dist/e.js"):
        (tmp_path / file).write_text('model = "o1-mini"', encoding="utf-8")
    found = migration.scan(tmp_path)
    assert [f.file for f in found] == ["a.py"]
    told = migration.told(found, tmp_path)
    assert "2 files of other types: .xyz 2" in told
    assert "2 files that machines wrote" in told


@pytest.mark.parametrize("unit", ["```\nx\n", "```python\nask(model='o1')\n```\n"])
def test_a_page_of_nothing_but_fences_is_read_in_linear_work(unit, tmp_path, monkeypatch):
    """Twice the text is twice the work, counted in tokens and not in seconds."""
    from helpers.sdks.migration import reading

    real, work = reading._spans, []
    monkeypatch.setattr(
        reading, "_spans", lambda text, alias: work.append(len(text)) or real(text, alias)
    )
    done = []
    for n in (200, 400):
        work.clear()
        source(tmp_path, unit * n, "a.md")
        done.append(sum(work))
    assert done[1] <= 2 * done[0]


def test_strings_and_comments_of_python_are_those_of_pygments():
    """On files of ours, those of the tests with their odd strings, too."""
    from helpers.sdks.migration import reading

    compared = 0
    for file in [*ROOT.glob("helpers/sdks/**/*.py"), Path(__file__), *THEN.glob("*.py")]:
        text = file.read_text(encoding="utf-8")
        if (quick := reading._spans_of_python(text)) is not None:
            slow = [span for span in reading._spans_by_pygments(text, "python") if span[0]]
            assert quick == slow, file
            compared += 1
    assert compared > 15


@pytest.mark.parametrize(
    "text",
    [
        'f"{a!r}"; "b"',
        'f"{a:.2f} {b!r:>9}" + x # c',
        'f"{x["a"]}"; "b"',
        'rb"\\" "a"\n\'it\' # c "d"',
        "\"\"\"a'b\"\"\" '''c\"d'''",
        "'never closed\nx = 'y'",
        '"""never closed',
        "_f'x' rf'{y}'",
        "'a\\\nb' ''",
    ],
)
def test_odd_strings_of_python_end_where_they_do(text):
    from helpers.sdks.migration import reading

    slow = [span for span in reading._spans_by_pygments(text, "python") if span[0]]
    assert list(filter(lambda span: span[0], reading._spans(text, "python"))) == slow


def test_strings_and_comments_of_javascript_are_those_of_pygments():
    """On files of ours, and code of 2024."""
    from helpers.sdks.migration import reading

    files = [
        file
        for folder in (ROOT / "helpers", ROOT / "notebooks" / "5_sdks" / "clients" / "node", THEN)
        for file in folder.rglob("*.[jt]s")
        if "node_modules" not in file.parts
    ]
    assert len(files) > 5
    for file in files:
        text = file.read_text(encoding="utf-8")
        slow = [span for span in reading._spans_by_pygments(text, "typescript") if span[0]]
        assert reading._spans_of_script(text) == slow, file


@pytest.mark.parametrize(
    "text, spans",
    [
        ("a = `b${c ? `d${'e'}` : {f: '}'}}g` + 'h'", ["`b${c ? `d${'e'}` : {f: '}'}}g`", "'h'"]),
        ("`a${/* } ` */ b}c`; 'd'", ["`a${/* } ` */ b}c`", "'d'"]),
        ("`\\`${b}` // 'c'", ["`\\`${b}`", "// 'c'"]),
        ("a = b / c; 'd' / e", ["'d'"]),
        ("x.replace(/[\"'/]/g, 'y')", ["/[\"'/]/g", "'y'"]),
        ("return /'/.test(a) /* b */", ["/'/", "/* b */"]),
        ('\'never closed\nx = "y"', ["'never closed", '"y"']),
        ("'a\\\nb' + \"\"", ["'a\\\nb'", '""']),
        ("/* never closed 'a'", ["'a'"]),
        ("`never closed ${'a'", ["`never closed ${'a'"]),
    ],
)
def test_odd_strings_of_javascript_end_where_they_do(text, spans):
    from helpers.sdks.migration import reading

    found = reading._spans(text, "typescript")
    assert [text[start:end] for _, start, end in found] == spans


def test_what_follows_a_conversion_in_a_text_is_code(tmp_path):
    """After {x!r} all was taken for a string, and a docstring for code."""
    text = 'a = f"{x!r}"\ndef b():\n    """ask(model="o1-mini")"""\nask(model="o1-preview")\n'
    assert [f.name for f in source(tmp_path, text)] == ["o1-preview"]


def test_a_model_behind_its_providers_name_is_found(tmp_path):
    text = 'Agent("openai:o1-mini")\nmodel = "openai:o1-preview"\nAgent("azure:o1-mini")\n'
    found = [(f.line, f.name, f.sure) for f in source(tmp_path, text)]
    assert found == [(1, "o1-mini", False), (2, "o1-preview", True)]


def test_an_event_elsewhere_in_a_file_makes_no_session_of_it(tmp_path):
    """A framework's file of classes, as Pipecat has one for each maker: its own names."""
    fields = "".join(f"    field_{n}: str\n" for n in range(40))
    text = (
        "from pipecat.services import base\n\nclass Settings:\n    voice: str\n    modalities: list\n"
        f"{fields}\nclass Update:\n    type: str = 'session.update'\n    session: Settings\n"
    )
    assert source(tmp_path, text) == []


@pytest.mark.parametrize(
    "text, n",
    [('ask(model="o1-mini")\n' * 9_000, 8_000), ("o1 " * 200_000 + 'ask(model="o1")\n', 0)],
)
def test_long_data_is_read_in_part_and_told(text, n, tmp_path):
    found = source(tmp_path, text)
    assert found[0].kind == "read in part" and "the first 180,000 characters" in found[0].what
    assert len(found) > n


@pytest.mark.parametrize("name", ["a.yaml", "a.md", "a.py"])
def test_a_long_text_is_read_to_its_end(name, tmp_path):
    """As a description of an API is, of some 800,000 characters."""
    text = (
        "```python\nx: 1\nmodel='o1'\n" + "x: 1\n" * (search.MOST // 4) + "model='o1-mini'\n```\n"
    )
    assert [f.name for f in source(tmp_path, text, name)] == ["o1", "o1-mini"]


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "helpers.sdks.migration", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
    )


def test_json_and_sarif_say_what_the_lines_say(tmp_path):
    shutil.copy(THEN / "voice.py", tmp_path)
    lines, as_json, sarif = run(tmp_path), run("--json", tmp_path), run("--sarif", tmp_path)
    assert lines.returncode == as_json.returncode == sarif.returncode == 1
    rows = json.loads(as_json.stdout)
    places = [f"{f['file']}:{f['line']}:{f['column']}:" for f in rows["findings"]]
    assert places == [line.split(" ")[0] for line in lines.stdout.splitlines()]
    assert rows["read"] == 1
    (done,) = json.loads(sarif.stdout)["runs"]
    ids = {rule["id"] for rule in done["tool"]["driver"]["rules"]}
    regions = []
    for result in done["results"]:
        assert result["ruleId"] in ids
        place = result["locations"][0]["physicalLocation"]
        region = place["region"]
        uri = place["artifactLocation"]["uri"]
        regions.append(f"{uri}:{region['startLine']}:{region['startColumn']}:")
    assert regions == places


def test_the_hook_takes_the_files_that_it_is_given(tmp_path):
    """As pre-commit calls it: from another repository, with the names of the changed files."""
    hook = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    entry = re.search(r"^  entry: (\S+)$", hook, re.M)[1]
    shutil.copy(THEN / "settings.yaml", tmp_path)
    shutil.copy(NOW / "settings.yaml", tmp_path / "today.yaml")
    done = subprocess.run(
        [sys.executable, ROOT / entry, "settings.yaml", "today.yaml"],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 1, done.stderr
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == ["settings.yaml"]


def test_a_file_of_windows_in_utf_16_is_read(tmp_path):
    (tmp_path / "a.py").write_bytes('ask(model="o1-mini")\n'.encode("utf-16"))
    assert [f.name for f in migration.scan(tmp_path)] == ["o1-mini"]
