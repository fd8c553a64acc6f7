"""`python start.py record [--show] [--from URL] NOTEBOOK`: record a notebook's calls, and say where
answers changed in shape.

It runs in a kernel of its own from top to bottom, with DAY9_ANSWERS=record; its file stays as it
is. Each answer is held against the one that this machine gave before: status, fields and their
types, the order of a stream's events. Words do not count. `--show` runs it from recordings alone,
sends nothing, and tells what would be asked of whom at what price.
"""

import argparse
import datetime
import json
import os
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path

from ...common import console
from ...facts import prices
from ...facts.models import models
from .. import answers, recordings, sse
from ..answer import as_it_came

# Run in the notebook's kernel when its cells are through.
TELL = """
import json as _json
from helpers import running as _running
_told = {"receipt": {"calls": []}, "exchanges": []} if _running.current is None else {name: _running.server().ask(name) for name in ("receipt", "exchanges")}
print(_json.dumps(_told))
"""


def main(arguments=None):
    """Run the command line; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python start.py record",
        description="Records a notebook's calls as recordings of your own.",
    )
    parser.add_argument("notebook", type=Path)
    parser.add_argument(
        "--show", action="store_true", help="only tell what would be recorded; nothing is sent"
    )
    parser.add_argument(
        "--from",
        dest="url",
        help="the address of a compatible server, such as http://127.0.0.1:11434/v1 (default: OpenAI, with your OPENAI_API_KEY)",
    )
    given = parser.parse_args(arguments)
    if not given.notebook.is_file():
        parser.error(f"there is no notebook {given.notebook}")
    return show(given.notebook, given.url) if given.show else record(given.notebook, given.url)


def run(notebook, mode):
    """(what the local API tells of the calls of a notebook that is run in this mode, the error that
    ended it or "").
    """
    import nbclient
    import nbformat

    book, wrong = nbformat.read(notebook, as_version=4), ""
    client = nbclient.NotebookClient(
        book,
        timeout=600,
        kernel_name="python3",
        resources={"metadata": {"path": str(notebook.parent)}},
    )
    with client.setup_kernel(env=os.environ | {"DAY9_ANSWERS": mode}, stderr=subprocess.DEVNULL):
        try:
            for index, cell in enumerate(book.cells):
                client.execute_cell(cell, index)
        except nbclient.exceptions.CellExecutionError as e:
            wrong = f"{e.ename}: {e.evalue}"
        last = nbformat.v4.new_code_cell(TELL)
        book.cells.append(last)
        client.execute_cell(last, len(book.cells) - 1)
    return json.loads(last.outputs[0].text), wrong


# --- what would be recorded -----------------------------------------------------------------------


def show(notebook, url=None):
    """Print what `record` would ask; returns the exit code."""
    told, wrong = run(notebook, "recorded")
    today = datetime.date.today()
    rows = planned(told["receipt"]["calls"], today, url)
    print(f"{notebook.name}: what would be recorded from {url or 'OpenAI'}. Nothing was sent.")
    if not rows:
        print("It asks nothing of a model.")
    for row in rows:
        print(f"  {row['model']}: {row['calls']} call{'s' * (row['calls'] != 1)}; {row['what']}")
    sent = [row["usd"] for row in rows if row["usd"] is not None]
    if sent:
        print(
            f"Together about {sum(sent, Decimal(0)):.4f} USD at the prices of {today}, for as many tokens as the recordings have; a model of today may use more or fewer."
        )
    for kind in answers.COMPUTED:
        if any(e["path"].startswith(kind) for e in told["exchanges"]):
            print(
                f"  {kind}: "
                + (
                    "computed here, not recorded"
                    if url
                    else "recorded; what OpenAI asks for training is not in this sum"
                )
            )
    return failed(wrong)


def planned(calls, today, url=None):
    """What becomes of a notebook's calls, a dict for each model: `what` in words, `usd` expected,
    or None where nothing is sent or known.
    """
    rows = []
    for model in sorted({c["model"] for c in calls}):
        these = [c for c in calls if c["model"] == model]
        day = models().get(model, {}).get("shutdown")
        usd = None
        if url:
            what = f"recorded from {url}"
        elif model.startswith("ft:"):
            what = "tuned and answered here, not recorded"
        elif day and day <= today.isoformat():
            what = f"shut down on {day}: answered from recordings, not recorded"
        else:
            try:
                usd = sum(
                    (prices.cost(model, c["usage"], today) for c in these if c["status"] == 200),
                    Decimal(0),
                )
                what = f"recorded, about {usd:.4f} USD"
            except (LookupError, ValueError) as e:
                what = f"recorded; cost not known ({e})"
        rows.append({"model": model, "calls": len(these), "what": what, "usd": usd})
    return rows


# --- recording, and what has changed --------------------------------------------------------------


def record(notebook, url=None):
    """Record a notebook and print what changed in shape; returns the exit code."""
    own = recordings.own_folder()
    before, known = answers.Answers(), set(own.rglob("*.json"))
    _, wrong = run(notebook, f"record:{url}" if url else "record")
    fresh = sorted(f for f in own.rglob("*.json") if f not in known and f.parent.name != "files")
    counts = Counter()
    for file in fresh:
        made = recordings.read(file, own)
        if made.method == "WS":
            counts["sessions"] += 1
            continue
        was = earlier(before, made)
        if was is None:
            lines = ["new: nothing answered it before"]
            counts["new"] += 1
        else:
            lines = changes(shape(was), shape(as_it_came(made, made.responses[0])))
            counts["changed" if lines else "same"] += 1
        if lines:
            print(f"{made.name}: {made.about}", *lines, sep="\n    ")
    print(
        f"{len(fresh)} exchanges recorded in {own}: {counts['changed']} changed in shape, {counts['same']} did not, {counts['new']} are new."
        + f" Realtime sessions are not compared: {counts['sessions']}." * bool(counts["sessions"])
    )
    return failed(wrong)


def failed(wrong):
    if wrong:
        print(f"The notebook ended before its end: {wrong}", file=sys.stderr)
    return 1 if wrong else 0


def earlier(before, made):
    """The Answer that this machine gave before to the request of a recording, or None."""
    query, raw = (
        ({}, json.dumps(made.sent).encode()) if made.method == "POST" else (made.sent or {}, b"")
    )
    request = (made.method, made.path, query, "application/json", raw)
    if made.path.startswith(answers.COMPUTED) and not before.library.find_recorded(*request):
        return None  # was computed, from a file whose content is not kept
    answer = before.answer(*request)
    return answer if answer.origin else None


def shape(answer):
    """An Answer's shape: (its order, as a text; {"path: type"})."""
    if not answer.events:
        return f"status {answer.status}", set(_fields(_json(answer.body), ""))
    kinds, fields = [], set()
    for _, event in answer.events:
        for data in sse.data(event):
            said = _json(data)
            kind = data.decode("utf-8", "replace")
            if isinstance(said, dict):
                kind = said.get("type") or said.get("object") or "event"
                fields |= {f"{kind} {field}" for field in _fields(said, "")}
            if kinds[-1:] != [kind]:
                kinds.append(kind)
    return f"status {answer.status}, a stream: {' → '.join(kinds)}", fields


def _json(text):
    try:
        return json.loads(text)
    except ValueError:
        return text


def _fields(value, at):
    """ "path: type" of all that is in a JSON value; the items of a list are as one."""
    kinds = {
        dict: "object",
        list: "list",
        str: "text",
        bool: "boolean",
        int: "number",
        float: "number",
        type(None): "null",
        bytes: "bytes",
    }
    yield f"{at or '.'}: {kinds[type(value)]}"
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _fields(inner, f"{at}.{name}" if at else name)
    elif isinstance(value, list):
        for inner in value:
            yield from _fields(inner, f"{at}[]")


def changes(was, now):
    """What differs between two shapes, in lines; none where they are the same."""
    order = [f"was {was[0]}", f"now {now[0]}"] if was[0] != now[0] else []
    return (
        order
        + [f"- {field}" for field in sorted(was[1] - now[1])]
        + [f"+ {field}" for field in sorted(now[1] - was[1])]
    )


if __name__ == "__main__":
    console.forgiving()
    sys.exit(main())
