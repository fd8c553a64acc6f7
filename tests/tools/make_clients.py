"""Write data/clients.json, what the five programs say and send: `python -m
tests.tools.make_clients`, with all five languages here.

It is shown in place of a run where a language is missing. What differs from machine to machine is
left out.
"""

import datetime
import json
import re

import helpers
from helpers.sdks import clients

# headers that tell of a machine
HERE = re.compile(r"Host|Content-Length|.*(Os|Os-Version|Arch|Runtime-Version)$")
PATIENCE = "0.5"
TASKS = [
    ("ask", "2024-12-17"),
    ("stream", "2000-02-29"),
    ("tool", "2024-12-17", "2024-12-25"),
    ("busy", "Are you there?"),
    ("busy", "Are you well?"),
    ("wrong", "0.2"),
]


def cut(exchange):
    """Of an exchange what the notebook reads."""
    headers = {
        name: value for name, value in exchange["headers"].items() if not HERE.fullmatch(name)
    }
    headers["User-Agent"] = re.sub(r"^curl/.*", "curl", headers["User-Agent"])
    return {
        "request": exchange["request"],
        "bytes": exchange["bytes"],
        "status": exchange["status"],
        "headers": headers,
    }


def runs(language):
    """{language and words: what its run gave}"""
    made = {}
    for words in TASKS:
        run = clients.run(language, *words)
        made[" ".join((language, *words))] = {
            "said": run.said,
            "exchanges": [cut(e) for e in run.exchanges],
        }
    return made | late(language)


def late(language, patience=PATIENCE):
    """The same of a language's one run against a server that never answers."""
    said, asked = clients.unheard(language, patience)
    return {f"{language} late {patience}": {"said": said, "exchanges": [{}] * asked}}


def main():
    lacking = {
        language: clients.missing(language)
        for language in clients.CLIENTS
        if clients.missing(language)
    }
    if lacking:
        raise SystemExit(f"Not on this machine: {lacking}")
    helpers.connect()
    kept = {
        "origin": "our own programs against our own local API",
        "date": datetime.date.today().isoformat(),
        "runs": {name: run for language in clients.CLIENTS for name, run in runs(language).items()},
    }
    clients.KEPT.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
