"""What is said back: scenes from data/realtime/scenes.toml, found by what was heard, typed, told or
returned by a function.

A scene's answer is a clip, or a sentence with slots that are computed here: the days until
Christmas from a date, the tax on an income from the tax tables, either of them from a function's
output. What no scene answers gets an answer that says so.
"""

import datetime
import functools
import json
import re
import tomllib
from dataclasses import dataclass

from ...facts import DATA, sounds, tax

DAY_9 = datetime.date(
    2024, 12, 17
)  # "today", where neither the instructions nor the question nor a function names a date
INCOME, YEAR = 9_325, 2024  # those of the spoken question
DATE = re.compile(r"\d{4}-\d\d-\d\d")
NUMBER = r"-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
# "Answer blocked if the user asks about presents, otherwise allowed."
RULE = re.compile(
    r"""["'`]?(\w+)["'`]? if (.+?)[,;.]?\s+(?:and |or |but )?(?:otherwise|else)[,:]?\s+(?:answer |say |reply |return )?["'`]?(\w+)""",
    re.I | re.S,
)


@dataclass
class Reply:
    """What a response consists of: words, or the call of a function. `sound` is made when it is
    asked for.
    """

    scene: str
    text: str = ""
    name: str = ""
    arguments: str = ""

    @property
    def sound(self):
        return sounds.said(self.text)


@functools.cache
def scenes():
    """{name: scene} of data/realtime/scenes.toml."""
    with open(DATA / "realtime" / "scenes.toml", "rb") as f:
        return {scene["name"]: scene for scene in tomllib.load(f)["scene"]}


def reply(items, instructions, told, tools, tool_choice, aloud):
    """The Reply to a conversation.

    items: the response's input (items.Item). instructions: the session's; told: the response's own,
    or "". tools, tool_choice: as in the session object. aloud: whether it must have a sound.
    """
    found = _reply(items, instructions, told, tools, tool_choice)
    if aloud and found.text:
        try:
            found.sound
        except (LookupError, ValueError):  # a number or a word that no clip says
            found = _clip("off the map")
    return found


def _reply(items, instructions, told, tools, tool_choice):
    rule = RULE.search(told)
    if rule:
        return _judged(rule, items)
    for name, scene in scenes().items():
        if told and re.search(scene.get("told", "$^"), told, re.I):
            return _clip(name)
    last = next(
        (
            item
            for item in reversed(items)
            if item.data["type"] == "function_call_output" or item.data.get("role") == "user"
        ),
        None,
    )
    if last is None:
        return _clip("hello")
    if last.data["type"] == "function_call_output":
        return _returned(last, items)
    name = scene_of(last)
    scene = scenes()[name]
    if "slots" not in scene:
        return _clip(name)
    values = SLOTS[scene["slots"]](last.words if not last.heard else "", instructions)
    tool = _tool(scene, tools, tool_choice)
    if tool:
        return Reply(name, name=tool["name"], arguments=_arguments(tool, values))
    return Reply(name, scene["say"].format_map(values))


def scene_of(item):
    """The name of the scene that an item belongs to; "off the map" where none does."""
    if item.idle:
        return "idle"
    known = [h.name for h in item.heard]
    if known:
        return next(name for name, scene in scenes().items() if known[-1] in scene.get("heard", []))
    return next(
        (
            name
            for name, scene in scenes().items()
            if item.words and re.search(scene.get("asked", "$^"), item.words, re.I | re.S)
        ),
        "off the map",
    )


def _clip(name):
    return Reply(name, sounds.clips()[scenes()[name]["clip"]]["transcript"])


def _judged(rule, items):
    """A one-word verdict on what was said last: the first word where a topic of its scene is in the
    condition, else the second.
    """
    yes, condition, no = rule.groups()
    said = [item for item in items if item.data["type"] == "message"]
    asked = max((i for i, item in enumerate(said) if item.data["role"] == "user"), default=0)
    topics = {
        topic for item in said[asked:] for topic in scenes()[scene_of(item)].get("topics", [])
    }
    return Reply("verdict", yes if topics & set(re.findall(r"\w+", condition.lower())) else no)


# --- functions -----------------------------------------------------------------------------------------


def _tool(scene, tools, tool_choice):
    """The function of the session that a scene calls, or None."""
    if tool_choice == "none":
        return None
    wanted = tool_choice["name"] if isinstance(tool_choice, dict) else None
    return next(
        (
            t
            for t in tools
            if t["name"] == wanted
            or not wanted
            and re.search(scene["tool"], f"{t['name']} {t.get('description', '')}", re.I)
        ),
        None,
    )


def _arguments(tool, values):
    """A call's arguments as JSON: each parameter whose name tells what it is for."""
    given = {}
    for name, schema in ((tool.get("parameters") or {}).get("properties") or {}).items():
        value = next(
            (
                values[key]
                for pattern, key in PARAMETERS.items()
                if key in values and re.search(pattern, name, re.I)
            ),
            None,
        )
        if isinstance(schema, dict) and schema.get("enum"):
            value = next((v for v in schema["enum"] if str(value).lower() in str(v).lower()), None)
        if value is not None:
            given[name] = value
    return json.dumps(given)


PARAMETERS = {
    "income|amount|taxable|dollar|salary": "amount",
    "year": "year",
    "status|filing": "status",
    "holiday|event|occasion": "holiday",
}


def _returned(output, items):
    """What is said when a function has answered."""
    call = next(
        (
            item
            for item in items
            if item.data["type"] == "function_call"
            and item.data.get("call_id") == output.data["call_id"]
        ),
        None,
    )
    name = next(
        (
            n
            for n, scene in scenes().items()
            if call and "tool" in scene and re.search(scene["tool"], call.data["name"], re.I)
        ),
        None,
    )
    if name is None:
        return _clip("off the map")
    said, scene = output.data["output"], scenes()[name]
    if scene["slots"] == "christmas" and _date(said):
        return Reply(name, scene["say"].format_map(christmas(said, "")))
    number = _amount(said, scene["slots"])
    if number is None:
        return _clip(name)
    values = tax_on(call.data["arguments"], "") if scene["slots"] == "tax" else {}
    return Reply(
        name, scene["say_count"].format_map(values | {"tax": dollars(number), "away": away(number)})
    )


def _amount(output, wanted):
    """The number in a function's output: the one whose key has to do with what is wanted, else the
    first.
    """
    keys = "tax|owe|due" if wanted == "tax" else "days|count|left"
    found = re.search(rf"(?:{keys})\w*\"?\s*[:=]\s*\"?\$?({NUMBER})", output, re.I) or re.search(
        rf"({NUMBER})", output
    )
    if not found:
        return None
    number = found[1].replace(",", "")
    return float(number) if "." in number else int(number)


# --- slots ---------------------------------------------------------------------------------------------


def _date(text):
    try:
        return datetime.date.fromisoformat(DATE.search(text)[0])
    except (TypeError, ValueError):  # none, or no day of the calendar
        return None


def christmas(text, instructions):
    """The values of the days until Christmas, from a date in the text, the instructions, or Day
    9's.
    """
    today = _date(text) or _date(instructions) or DAY_9
    eve = datetime.date(today.year + (today > datetime.date(today.year, 12, 25)), 12, 25)
    return {
        "date": f"{today:%B} {today.day}{_suffix(today.day)}",
        "away": away((eve - today).days),
        "holiday": "Christmas",
    }


def _suffix(n):
    return "th" if n % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")


def away(days):
    return "today" if days == 0 else f"{days:,} day{'s' * (days != 1)} away"


def tax_on(text, instructions):
    """The values of a tax question, from the numbers in the text, or those of the spoken one. For
    single people.
    """
    year = next((y for y in tax.years() if str(y) in text), YEAR)
    numbers = (
        re.findall(rf"\$\s*({NUMBER})", text)
        or re.findall(rf"({NUMBER})(?: dollars)", text)
        or [n for n in re.findall(NUMBER, text) if n != str(year)]
    )
    income = int(float(numbers[0].replace(",", ""))) if numbers else INCOME
    return {
        "income": dollars(income),
        "tax": dollars(tax.tax(year, "single", max(0, income))),
        "year": year,
        "amount": income,
        "status": "single",
    }


def dollars(n):
    return (
        f"{n:,.2f} dollars"
        if isinstance(n, float) and n % 1
        else f"{int(n):,} dollar{'s' * (n != 1)}"
    )


SLOTS = {"christmas": christmas, "tax": tax_on}
