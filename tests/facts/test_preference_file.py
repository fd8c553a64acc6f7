"""The validator of training files: every way to break one is an answer with line and field, never
an exception.
"""

import json
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.facts import preference_file
from helpers.facts.preference_file import read, write

ROOT = Path(__file__).resolve().parents[2]
SYSTEM = {"role": "system", "content": "You tell the weather."}


def pair(n):
    return {
        "input": {
            "messages": [SYSTEM, {"role": "user", "content": f"How is the weather in town {n}?"}]
        },
        "preferred_output": [
            {"role": "assistant", "content": f"A lovely {60 + n}°F out there, take a hat!"}
        ],
        "non_preferred_output": [{"role": "assistant", "content": f"{15 + n} °C."}],
    }


def example(n):
    return {
        "messages": [
            SYSTEM,
            {"role": "user", "content": f"Town {n}?"},
            {"role": "assistant", "content": f"{n} °C."},
        ]
    }


def jsonl(rows):
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


PAIRS = [pair(n) for n in range(12)]
EXAMPLES = [example(n) for n in range(12)]


def errors(data, method=None):
    return [p for p in read(data, method)[1] if p.level == "error"]


def broken(change, method="dpo"):
    """The one error of a file of pairs whose line 7 was changed."""
    # each with messages of its own
    rows = json.loads(json.dumps(PAIRS if method == "dpo" else EXAMPLES))
    change(rows[6])
    found = errors(jsonl(rows), method)
    assert {p.line for p in found} == {7}
    return [p.path for p in found], str(found[0])


@pytest.mark.parametrize(
    "rows, method", [(PAIRS, "dpo"), (EXAMPLES, "supervised"), (PAIRS, None), (EXAMPLES, None)]
)
def test_a_whole_file_has_no_problems(rows, method):
    assert read(jsonl(rows), method) == (rows, [])


def test_optional_fields_and_conversations_are_accepted():
    row = pair(1)
    row["input"]["tools"] = [
        {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    ]
    row["input"]["parallel_tool_calls"] = False
    row["input"]["messages"] += [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "weather", "arguments": "{}"},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "61"},
    ]
    assert read(jsonl([row] * 10))[1] == []
    weighed = example(1)
    weighed["messages"][2]["weight"] = 0
    assert read(jsonl([weighed] * 10))[1] == []


@pytest.mark.parametrize(
    "change, paths, said",
    [
        (
            lambda r: r["preferred_output"][0].update(role="user"),
            ["preferred_output[0].role"],
            "line 7: preferred_output[0].role: expected 'assistant', found 'user'",
        ),
        (
            lambda r: r["preferred_output"].append(r["preferred_output"][0]),
            ["preferred_output"],
            "expected a list of one assistant message, found a list of 2",
        ),
        (
            lambda r: r.update(non_preferred_output="15 °C"),
            ["non_preferred_output"],
            "found '15 °C'",
        ),
        (lambda r: r.pop("non_preferred_output"), ["non_preferred_output"], "found nothing"),
        (
            lambda r: r["non_preferred_output"][0].update(content="  "),
            ["non_preferred_output[0].content"],
            "found an empty one",
        ),
        (
            lambda r: r["non_preferred_output"][0].update(content=15),
            ["non_preferred_output[0].content"],
            "found the number 15",
        ),
        (
            lambda r: r["preferred_output"][0].update(content=[{"type": "text", "text": "Sun"}]),
            ["preferred_output[0].content"],
            "text only",
        ),
        (
            lambda r: r["preferred_output"][0].update(tool_calls=[]),
            ["preferred_output[0].tool_calls"],
            "no such field",
        ),
        (lambda r: r.pop("input"), ["input"], "found nothing"),
        (lambda r: r["input"].update(messages=[]), ["input.messages"], "found an empty list"),
        (lambda r: r["input"].update(messages={}), ["input.messages"], "found a dictionary"),
        (
            lambda r: r["input"]["messages"][1].update(role="human"),
            ["input.messages[1].role"],
            "found 'human'",
        ),
        (
            lambda r: r["input"]["messages"][1].pop("role"),
            ["input.messages[1].role"],
            "found nothing",
        ),
        (
            lambda r: r["input"]["messages"][1].pop("content"),
            ["input.messages[1].content"],
            "found nothing",
        ),
        (
            lambda r: r["input"]["messages"].append({"role": "assistant", "content": "61"}),
            ["input.messages[2].role"],
            "expected the question last",
        ),
        (
            lambda r: r["input"]["messages"].append({"role": "tool", "content": "61"}),
            ["input.messages[2].tool_call_id"],
            "the call that this answers",
        ),
        (lambda r: r["input"].update(tools={}), ["input.tools"], "found a dictionary"),
        (lambda r: r["input"].update(tools=[{"name": "weather"}]), ["input.tools[0]"], "function"),
        (
            lambda r: r["input"].update(parallel_tool_calls="true"),
            ["input.parallel_tool_calls"],
            "found 'true'",
        ),
        (
            lambda r: r.update(prefered_output=1),
            ["prefered_output"],
            "did you mean preferred_output?",
        ),
        (lambda r: r.update(messages=[]), ["messages"], "no such field"),
        (
            lambda r: r.update(
                preferred_completion=r.pop("preferred_output"),
                non_preferred_completion=r.pop("non_preferred_output"),
            ),
            ["preferred_completion", "non_preferred_completion"],
            "expected the name preferred_output; preferred_completion stood in OpenAI's OpenAPI file of 2025-02",
        ),
    ],
)
def test_a_broken_pair_is_named_by_line_and_field(change, paths, said):
    found, text = broken(change)
    assert found == paths and said in text


@pytest.mark.parametrize(
    "change, paths, said",
    [
        (
            lambda r: r["messages"].pop(),
            ["messages[1].role"],
            "expected the assistant's answer last, found a message of role 'user'",
        ),
        (lambda r: r["messages"][2].update(weight=2), ["messages[2].weight"], "expected 0 or 1"),
        (
            lambda r: r["messages"][1].update(weight=1),
            ["messages[1].weight"],
            "on an assistant message",
        ),
        (lambda r: r.update(messages="hello"), ["messages"], "found 'hello'"),
        (lambda r: r["messages"].insert(0, None), ["messages[0]"], "found nothing"),
        (
            lambda r: r["messages"][0].update(weigth=0),
            ["messages[0].weigth"],
            "did you mean weight?",
        ),
    ],
)
def test_a_broken_example_is_named_by_line_and_field(change, paths, said):
    found, text = broken(change, "supervised")
    assert found == paths and said in text


def test_too_few_examples_are_refused_in_the_published_words():
    (problem,) = errors(jsonl(PAIRS[:7]), "dpo")
    assert (str(problem), problem.code, problem.published, problem.line) == (
        "Training file has 7 example(s), but must have at least 10 examples",
        "invalid_n_examples",
        True,
        None,
    )
    assert errors(jsonl(PAIRS[:10])) == []
    assert errors(b"")[0].code == "invalid_n_examples"


def test_a_line_that_is_no_dictionary_is_refused_in_the_published_words_and_ours_say_where():
    lines = jsonl(PAIRS).split(b"\n")
    lines[3] = lines[3].replace(b'"content": "A', b'"content" "A')
    (problem,) = errors(b"\n".join(lines))
    assert problem.message == (
        "Expected file to have JSONL format, where every line is a JSON dictionary. "
        'Line 4 is not a dictionary (HINT: line starts with: "{"i...").'
    )
    assert problem.published and (problem.line, problem.stage, problem.code) == (4, "upload", None)
    assert re.fullmatch(r"column \d+", problem.path) and problem.more == "Expecting ':' delimiter."
    array = errors(json.dumps(PAIRS).encode())
    assert (
        'Line 1 is not a dictionary (HINT: line starts with: "[{"...").' in array[0].message
        and array[0].more == "It is a list of 12."
    )


def test_the_wrong_kind_of_file_is_named_once():
    rows, (problem,) = read(jsonl(EXAMPLES), "dpo", file="file-abc")
    assert rows == [] and problem.published and problem.code == "invalid_training_file"
    assert problem.message == (
        "The job failed due to an invalid training file. Invalid file format. Input file file-abc is in the fine-tune-chat "
        "format, but the specified fine-tuning job is not using 'supervised' as the training method (provided method=dpo). "
    )
    assert "expected a supervised example with messages, found a preference pair" in str(
        errors(jsonl(PAIRS), "supervised")[0]
    )
    mixed = errors(jsonl([*PAIRS, EXAMPLES[0]]))
    assert [str(p) for p in mixed] == [
        "line 13: messages: expected a preference pair (input, preferred_output, non_preferred_output), found a supervised example"
    ]
    with pytest.raises(ValueError, match="'dpo' or 'supervised', not 'rlhf'"):
        read(b"", "rlhf")


def test_texts_that_are_not_published_are_not_called_so():
    for p in (
        errors(jsonl([{**pair(1), "input": 3}] * 10))
        + errors(b"\xff\xfe{\x00}\x00")
        + errors(jsonl(PAIRS[:5]) + b"\n" + jsonl(PAIRS[5:]))
    ):
        assert p.published == p.message.startswith(
            ("Training file has", "Expected file to have", "The job failed")
        )


def test_warnings_do_not_stop_a_file():
    same = pair(1)
    same["non_preferred_output"] = same["preferred_output"]
    rows, (problem,) = read(jsonl([*PAIRS, same]))
    assert (
        len(rows) == 13
        and problem.level == "warning"
        and str(problem).startswith(
            "line 13: non_preferred_output[0].content: expected another answer"
        )
    )
    rows, (mark,) = read(b"\xef\xbb\xbf" + jsonl(PAIRS))
    assert len(rows) == 12 and mark.level == "warning" and "byte order mark" in str(mark)


@pytest.mark.parametrize("given", ["pairs.jsonl", Path("pairs.jsonl"), None])
@pytest.mark.parametrize("reader", [preference_file.read, preference_file.converted])
def test_what_is_no_bytes_is_refused_with_the_way_out(reader, given):
    said = f"not as {type(given).__name__}: open\\(path, .rb.\\).read\\(\\)"
    with pytest.raises(TypeError, match=said):
        reader(given)


def test_bytes_lines_and_values_that_json_or_utf8_do_not_hold():
    good = jsonl(PAIRS)
    whole = lambda text: errors(text + good)[0]
    assert (
        str(errors(jsonl(PAIRS[:2]) + b"\n" + good)[0])
        == "line 3: expected a JSON dictionary, found a blank line"
    )
    assert read(good.replace(b"\n", b"\r\n") + b"\n \r\n") == (
        PAIRS,
        [],
    )  # Windows, and blank lines at the end
    assert (
        str(whole(b'{"input": "\xe9"}\n')) == "line 1: byte 12: expected UTF-8, found the byte 0xe9"
    )
    assert "UTF-16?" in str(errors("\n".join(json.dumps(r) for r in PAIRS).encode("utf-16"))[0])
    assert (whole(b'{"input": NaN}\n').path, whole(b'{"input": NaN}\n').more) == (
        "number",
        "NaN is not JSON.",
    )
    assert whole(b'{"input": ' + b"9" * 5000 + b"}\n").path == "number"
    assert (
        whole(b'{"input": 1e999}\n').message == "expected a number that fits, found one too large"
    )
    assert whole(b'{"input": ' + b"[" * 200_000 + b"]" * 200_000 + b"}\n").line == 1
    assert (
        whole(b'{"input": 1, "input": 2}\n').path,
        whole(b'{"input": {"messages": 1, "messages": 2}}\n').path,
    ) == ("input", "input.messages")
    assert str(
        whole(b'{"input": {"messages": [{"role": "user", "content": "\\ud83d"}]}}\n')
    ).startswith("line 1: input.messages[0].content: expected text that UTF-8 can hold")
    assert str(whole(b'{"\\ud83d": 1}\n')).startswith(
        "line 1: \\ud83d: expected text that UTF-8 can hold"
    )


def test_a_file_over_the_limit_is_not_read(monkeypatch):
    monkeypatch.setattr(preference_file, "LARGEST", 1000)
    rows, (problem,) = read(jsonl(PAIRS))
    assert rows == [] and "512 MB" in str(problem)


VALUES = (
    None,
    True,
    False,
    0,
    -1,
    10**30,
    1.5,
    "",
    " ",
    "user",
    "assistant",
    "\ud800",
    "‮",
    [],
    [[]],
    {},
    {"role": "assistant"},
    [None],
    "x" * 10_000,
)


def test_a_thousand_broken_files_are_answered_with_line_and_field():
    chance = random.Random(9)
    rejected = 0
    for _ in range(1000):
        source, method = chance.choice([(PAIRS, "dpo"), (EXAMPLES, "supervised")])
        data = jsonl(source)
        for _ in range(chance.choice([1, 1, 1, 2, 5])):
            data = _mutated(data, chance)
        rows, problems = read(data, method)
        for p in problems:
            str(p).encode("utf-8")  # can be printed
            assert p.line is not None and 1 <= p.line <= data.count(b"\n") + 1 or p.published
        found = [p for p in problems if p.level == "error"]
        if found:
            rejected += 1
            # the line and the field, or a text of the hosted service about the file as a whole
            assert all(
                p.path or "blank line" in p.message or (p.published and (p.line is None or p.more))
                for p in found
            ), found
        if not found:
            assert len(rows) == data.rstrip().count(b"\n") + 1 >= 10
        again = read(jsonl(rows), method)[1] if rows else []
        # what is kept is fit
        assert all(p.code == "invalid_n_examples" or p.level == "warning" for p in again)
    assert 700 < rejected < 1000


def _mutated(data, chance):
    kind = chance.choice(
        ["cut", "noise", "delete", "swap", "value", "key", "deep", "number", "line"]
    )
    at = chance.randrange(len(data) or 1)
    if kind == "cut":
        return data[:at]
    if kind == "noise":
        return (
            data[:at]
            + bytes(chance.randrange(256) for _ in range(chance.choice([1, 3, 40])))
            + data[at:]
        )
    if kind == "delete":
        return data[:at] + data[at + chance.randrange(1, 60) :]
    if kind == "swap":
        return data.replace(
            *chance.choice(
                [
                    (b"assistant", b"user"),
                    (b"{", b"["),
                    (b"}", b"]"),
                    (b'"', b"'"),
                    (b"\n", b"\n\n"),
                    (b"input", b"prompt"),
                    (b"preferred_output", b"preferred_completion"),
                    (b": ", b":"),
                    (b"\n", b"\r"),
                ]
            ),
            chance.choice([1, -1]),
        )
    lines = data.split(b"\n")
    i = chance.randrange(len(lines))
    if kind == "line":
        return b"\n".join(
            lines[:i]
            + [chance.choice([b"", b"[]", b"{}", b"null", b"\xef\xbb\xbf", b"\x00"])]
            + lines[i:]
        )
    if kind == "deep":
        lines[i] = (
            b'{"input":' * chance.choice([50, 900, 5000])
            + b"1"
            + b"}" * chance.choice([50, 900, 5000])
        )
    elif kind == "number":
        lines[i] = lines[i].replace(
            b'"content"',
            chance.choice(
                [
                    b'"content": NaN, "c"',
                    b'"weight": 1e999, "content"',
                    b'"name": ' + b"7" * 4400 + b', "content"',
                ]
            ),
            1,
        )
    else:
        try:
            row = json.loads(lines[i])
        except (ValueError, RecursionError):
            return data
        _change(row, kind, chance)
        lines[i] = json.dumps(row).encode()
    return b"\n".join(lines)


def _change(value, kind, chance):
    """One key renamed or one value replaced, somewhere in a row."""
    while isinstance(value, (dict, list)) and value:
        key = chance.choice(list(value) if isinstance(value, dict) else range(len(value)))
        if kind == "key" and isinstance(value, dict) and chance.random() < 0.5:
            value[chance.choice(["Role", "text", "weight", "", "\ud800", "messages", "input"])] = (
                value.pop(key)
            )
            return
        if (
            kind == "value"
            and chance.random() < 0.4
            or not isinstance(value[key], (dict, list))
            or not value[key]
        ):
            value[key] = chance.choice(VALUES)
            return
        value = value[key]


def test_what_is_written_is_read_again_and_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "mine" / "pairs.jsonl"
    rows = [
        *PAIRS,
        pair(99)
        | {
            "preferred_output": [
                {"role": "assistant", "content": "Grüße, 61 °F ☀\u2028 and\nso on"}
            ]
        },
    ]
    assert write(rows, path) == path and read(path.read_bytes()) == (rows, [])
    before = path.read_bytes()
    for bad in ({"input": float("nan")}, {"input": "\ud800"}, {"input": {1, 2}}):
        with pytest.raises(ValueError, match="row 2 cannot be written"):
            write([PAIRS[0], bad], path)
    assert path.read_bytes() == before and [f.name for f in path.parent.iterdir()] == [
        "pairs.jsonl"
    ]


def test_the_import_is_the_standard_library_alone():
    code = "import sys; import helpers.facts.preference_file; print(*{m.split('.')[0] for m in sys.modules} - set(sys.stdlib_module_names) - {'helpers'})"
    out = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert out.split() in ([], ["__main__"], ["__mp_main__"])


# ---- files for other methods, and in the forms of others

CASES = ROOT / "tests" / "data" / "training_files"


def test_pictures_in_a_supervised_file_are_no_fault():
    data = (CASES / "d3_supervised_vision.jsonl").read_bytes()
    for method in (None, "supervised"):
        rows, problems = read(data, method)
        assert (len(rows), problems) == (10, [])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([], "expected a text or at least one part"),
        ([{"type": "input_text", "text": "x"}], "expected text or image_url, found 'input_text'"),
        ([{"type": "text"}], "expected a text, found nothing"),
        ([{"type": "image_url", "image_url": "http://x"}], 'expected {"url"'),
        (["x"], "expected text or image_url, found nothing"),
    ],
)
def test_odd_parts_are_named(content, said):
    row = example(1)
    row["messages"][1]["content"] = content
    assert said in str(errors(jsonl([row]))[0])


def test_a_picture_is_the_users():
    row = example(1)
    row["messages"][2]["content"] = [{"type": "image_url", "image_url": {"url": "https://x/y"}}]
    assert "expected pictures from the user alone" in str(errors(jsonl([row]))[0])


def test_a_message_without_its_role_is_told_in_openais_words():
    (found,) = errors((CASES / "d8_supervised_without_role.jsonl").read_bytes())
    assert found.published and (found.line, found.path) == (10, "messages[2]")
    assert found.message == (
        "Invalid file format. Example 10, message 2 Discriminator 'role' is missing in value"
    )


GRADED = [
    {"messages": [{"role": "user", "content": f"{n} + {n}?"}], "reference_answer": str(2 * n)}
    for n in range(10)
]


def test_a_file_for_reinforcement_is_known():
    assert read(jsonl(GRADED)) == (GRADED, [])
    assert "found a line for reinforcement" in str(errors(jsonl(GRADED), "dpo")[0])
    said = str(errors(jsonl(GRADED), "supervised")[0])
    assert "reinforcement fine-tuning, with reference_answer" in said


ASKED = [{"role": "user", "content": "Sun?"}]
GOOD, BAD = ([{"role": "assistant", "content": text}] for text in ("Yes.", "42"))
OURS = {"input": {"messages": ASKED}, "preferred_output": GOOD, "non_preferred_output": BAD}
TURNS = [{"from": "human", "value": "Sun?"}]
FOREIGN = {
    "TRL": {"prompt": "Sun?", "chosen": "Yes.", "rejected": "42"},
    "TRL, as messages": {"prompt": ASKED, "chosen": GOOD, "rejected": BAD},
    "TRL, without a prompt": {"chosen": ASKED + GOOD, "rejected": ASKED + BAD},
    "UltraFeedback, made binary": {
        "prompt": "Sun?",
        "prompt_id": "a",
        "chosen": ASKED + GOOD,
        "rejected": ASKED + BAD,
        "messages": ASKED + GOOD,
        "score_chosen": 8.0,
        "score_rejected": 2.0,
    },
    "UltraFeedback": {
        "instruction": "Sun?",
        "completions": [
            {"response": "42", "overall_score": 2.0},
            {"response": "Yes.", "overall_score": 8.5},
            {"response": "Perhaps.", "overall_score": 5},
        ],
    },
    "ShareGPT": {
        "conversations": TURNS,
        "chosen": {"from": "gpt", "value": "Yes."},
        "rejected": {"from": "gpt", "value": "42"},
    },
}


@pytest.mark.parametrize("form", FOREIGN)
def test_the_forms_of_others_are_named_and_turned_into_ours(form):
    data = jsonl([FOREIGN[form]] * 10)
    rows, (problem,) = read(data)
    assert rows == [] and form.split(", as")[0].split(", without")[0] in problem.message
    # what the message shows is run as it stands
    shown = re.search(r"(rows, problems = \S+), then", str(problem))[1]
    names = {"preference_file": preference_file, "data": data}
    exec(shown, names)
    assert (names["rows"], names["problems"]) == ([OURS] * 10, [])
    assert read(jsonl(names["rows"]))[1] == []


def test_sharegpt_with_one_answer_is_a_supervised_file():
    row = {"conversations": [*TURNS, {"from": "gpt", "value": "Yes."}]}
    assert preference_file.converted(jsonl([row]))[0] == [{"messages": ASKED + GOOD}]


@pytest.mark.parametrize(
    "text",
    [
        "prompt,chosen,rejected\nSun?,Yes.,42\n",
        "\ufeffQuestion;Rejected;Chosen;note\r\nSun?;42;Yes.;x\r\n",
        "id\tprompt\tgood\tbad\n7\tSun?\tYes.\t42\n",
    ],
)
def test_a_table_of_pairs_is_told_and_turned_into_ours(text):
    data = text.encode()
    problem = read(data)[1][0]
    assert problem.published and "This is a table of pairs (CSV)" in problem.more
    assert preference_file.converted(data) == ([OURS], [])


def test_what_holds_no_pair_is_left_out_and_told():
    rows = [
        FOREIGN["TRL"],
        {"prompt": "Sun?", "chosen": ASKED + GOOD + GOOD, "rejected": "42"},
        {"prompt": 3, "chosen": "a", "rejected": "b"},
        {"chosen": "a"},
    ]
    made, problems = preference_file.converted(jsonl(rows))
    assert made == [OURS] and [p.line for p in problems] == [2, 3, 4]
    assert "chosen has 2 messages after the question" in str(problems[0])
    with pytest.raises(ValueError, match="expected a file of TRL, UltraFeedback, ShareGPT"):
        preference_file.converted(jsonl(PAIRS))
