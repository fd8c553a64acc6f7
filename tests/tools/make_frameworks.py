"""Write data/frameworks, what each framework sends for the notebook's tasks: `python -m
tests.tools.make_frameworks`, after `start.py test --frameworks` has set them up.
"""

import datetime
import importlib.metadata
import json

import helpers
from helpers import running
from helpers.sdks import frameworks

FORM = """Form 1040-SR of 2024, filing status single, boxes ticked on page 1: 1.
Line 9, total income: 28375
Line 10, adjustments: 2500
Line 11, line 9 minus line 10: 30875
Line 12, standard deduction by the chart on page 4: 18500
Line 15, line 11 minus line 12: 12375
Line 13 is empty. Which values must be corrected?"""
DAY = "Which day of the week was 2024-12-17?"
# The recorded questions of 1_o1/01, 04 and 05, and of the first notebook.
WORDS = {
    "ask": (
        "You help cooks. Answer with one temperature in celsius and nothing else.",
        "My American recipe says 350 °F. What is that in kelvin?",
    ),
    "tool": (
        "Tax year 2024, filing status single, taxable income 9325 dollars: "
        "what is my federal income tax?",
    ),
    "schema": (FORM,),
    "stream": (DAY,),
    "follow": (DAY, "And 2000-02-29?"),
}


def runs(framework, server):
    """{"API task": {words, said or error, requests}} of all tasks."""
    made = {}
    program = frameworks.Program(framework, server)
    for api in frameworks.APIS:
        for task, words in WORDS.items():
            before = server.newest()
            done = program.do(api, task, *words)
            sent = [e["request"] for e in server.since(before)]
            made[f"{api} {task}"] = {"words": words, **done, "requests": sent}
    program.end()
    return made


def main():
    lacking = [name for name in frameworks.FRAMEWORKS if not frameworks.installed(name)]
    if lacking:
        raise SystemExit(f"Not installed: {', '.join(lacking)}")
    helpers.connect()
    frameworks.KEPT.mkdir(exist_ok=True)
    for framework, (program, package, _) in frameworks.FRAMEWORKS.items():
        kept = {
            "origin": "our own programs against our own local API",
            "date": datetime.date.today().isoformat(),
            "package": package,
            "version": importlib.metadata.version(package),
            "runs": runs(framework, running.server()),
        }
        file = frameworks.KEPT / f"{program.removeprefix('with_')}.json"
        file.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
