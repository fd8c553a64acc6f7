"""What is said back: scenes from data/realtime/scenes.toml, found by what was heard, typed, told or
returned by a function.

A scene is found by its clip, by what words mean (facts/meaning.py) or by a pattern. Its answer is a
clip, or a sentence with slots that are computed: the days until Christmas from a date, the tax on
an income from the tax tables, either of them from a function's output (returned.py); others by
slot_values.py. Instructions are followed whole (instructions.py), or not at all. What no scene
answers gets an answer that says so in a voice, and the reason in `why`.
"""

import functools
import re
from dataclasses import dataclass, replace

from ...common import left_out
from ...common.counted import counted
from ...facts import DATA, dates, meaning, sounds, spoken_numbers, tax, toml_files
from ..computed import reading
from ..computed.reading import Unclear
from . import asked_days, calling, instructions, returned, slot_values
from .slot_values import DAY_9, WHO

YEAR = 2024  # of a tax, where nobody names one
# letters of a question, and of another text, that are understood here: in a longer one patterns
# look for long, and let nobody else in
ASKED, READ = 4_000, 16_000
AT_ONCE = 200  # letters that are understood in a few ms
AS_NEAR = 0.05  # of likeness: two scenes that are no farther apart are as near
BETWEEN = 250  # ms of silence between the sentences of one answer
# "Answer blocked if the user asks about presents, otherwise allowed.", in some of its forms
_ANSWER = r"(?:answer|say|reply|return|respond)(?: only)?(?: with)?"
RULES = [
    re.compile(
        rf"""{_ANSWER} ["'`]?(?P<yes>\w+)["'`]? (?:if|when|whenever) (?P<about>.+?)[,;.]?\s+(?:and |or |but )?(?:otherwise|else)[,:]?\s+(?:{_ANSWER} )?["'`]?(?P<no>\w+)["'`]?[.!]?""",
        re.I | re.S,
    ),
    re.compile(
        rf"""(?:is|does|do|was) (?P<about>.+?)\?\s*{_ANSWER}:? ["'`]?(?P<yes>\w+)["'`]? or ["'`]?(?P<no>\w+)["'`]?[.!]?""",
        re.I | re.S,
    ),
]
POLITE = r"(?:please )?(?P<what>.+?)(?: (?:kindly|warmly|politely|briefly|nicely|in a friendly way))?[.!]*"


@dataclass
class Reply:
    """What a response consists of: words, or the call of a function. `before`, `after`: sentences
    around the words. `why`: the reason, where it is off the map. `speed`: that of the voice.
    """

    scene: str
    text: str = ""
    name: str = ""
    arguments: str = ""
    before: str = ""
    after: str = ""
    why: str = ""
    language: str = "en"
    speed: float = 1.0

    @property
    def parts(self):
        return list(filter(None, (self.before, self.text, self.after)))

    @property
    def whole(self):
        return " ".join(self.parts)

    @property
    def clips(self):
        """Whether a clip of its own says each part, which is better than any putting together."""
        return all(map(sounds.has_clip, self.parts))

    @property
    def sound(self):
        """From clips and recorded pieces. LookupError or ValueError where there are none for it."""
        return sounds.silence(BETWEEN).join(map(sounds.said, self.parts))


@functools.cache
def scenes():
    """{name: scene} of data/realtime/scenes.toml. ValueError with the line for one that is none."""
    found = toml_files.read(DATA / "realtime" / "scenes.toml", SCENES)
    return {scene["name"]: scene for scene in found["scene"]}


def takes_long(items, told):
    """Whether it takes longer to understand what is answered, and what is told, than others should
    wait.
    """
    last = answered(items)
    return len(told) + (len(words_of(last)) if last else 0) > AT_ONCE


def reply(items, session, told, tools, tool_choice, aloud, mouth=False):
    """The Reply to a conversation.

    items: the response's input (items.Item). session: the session's instructions; told: the
    response's own, which take their place, or "". tools, tool_choice: as in the session object.
    aloud: whether it must have a sound. mouth: whether one is there that says any English text.
    """
    try:
        found = _reply(items, session, told, tools, tool_choice)
    except Unclear as e:
        asked = answered(items)
        by_voice = asked is not None and (asked.heard.spoken or asked.heard.why)
        return Reply("off the map", str(e), why=str(e)) if mouth and by_voice else _off(str(e))
    if aloud and found.text and not (mouth and found.language == "en"):
        try:
            found.sound
        except (LookupError, ValueError):  # a number or a word that no clip says
            return _off(
                f"No recorded voice here says “{found.whole}” In text it is answered: output_modalities ['text']."
            )
    return found


def _reply(items, session, told, tools, tool_choice):
    last = answered(items)
    system = [item.words for item in items if item.data.get("role") == "system"]
    _readable("The instructions", told or session, *system)
    if last is not None:
        from_user = last.data["type"] == "message"
        _readable("What is to be answered", words_of(last), most=ASKED if from_user else READ)
    if told:
        found = _told(told, items)
        if found:
            return found
    given = instructions.read(told or session, *system)
    if last is None:
        return _dressed(_clip("hello", given), given)
    if last.data["type"] == "function_call_output":
        return _dressed(_returned(last, items), given)
    if last.pictures:
        raise Unclear(
            "A picture is taken here, and nothing looks at it while one speaks. "
            "Notebook 1_o1/03_vision shows how a picture is asked about."
        )
    name = scene_of(last)
    scene = scenes()[name]
    for what, words in given.kept:
        if _topics(what) & set(scene.get("topics", [])):
            return _dressed(Reply("secret", words) if words else _clip("secret", given), given)
    words = words_of(last)
    tool = calling.tool(scene, tools, tool_choice)
    if tool:
        known = {"question": words} | (
            _values(scene, words, given, items) if "slots" in scene else {}
        )
        return Reply(name, name=tool["name"], arguments=calling.arguments(tool, known))
    if given.manner.fixed:
        return Reply(name, given.manner.fixed)
    if name == "off the map":
        raise Unclear(unknown(last))
    if "slots" not in scene:
        return _dressed(_clip(name, given), given)
    values = _values(scene, words, given, items)
    said = _said(scene, "say" if values else "unsaid", values, given)
    return _dressed(_as_told(Reply(name, said, speed=float(scene.get("speed", 1))), given), given)


def _readable(what, *texts, most=READ):
    """Raises Unclear for texts that are longer than anything that is understood here."""
    long = sum(map(len, texts))
    if long > most:
        raise Unclear(f"{what}: {long:,} letters. No scene here reads more than {most:,}.")


def answered(items):
    """The item that is answered: the last that a user said or a function gave; None where there
    is none.
    """
    kinds = lambda item: item.data["type"] == "function_call_output" or item.data.get("role") == "user"  # fmt: skip
    return next(filter(kinds, reversed(items)), None)


def _as_told(found, given):
    """A Reply that says in which language it is."""
    language = given.manner.language if given else "en"
    return replace(found, language="en" if language == "pirate" else language)


def _told(told, items):
    """The Reply that a response's own instructions ask for by themselves, or None: a verdict, a
    refusal, a greeting.
    """
    for pattern in RULES if len(told) <= ASKED else ():  # in a long text they look by its square
        rule = pattern.search(told)
        if rule:
            return _judged(rule["yes"], rule["about"], rule["no"], items)
    what = re.fullmatch(POLITE, told.strip(), re.I | re.S)["what"]
    for name, scene in scenes().items():
        if re.fullmatch(scene.get("told", "$^"), what, re.I):
            return _clip(name)
    refusal = re.sub(r"(?i)\s*\b(?:kindly|please)\b", "", told).strip()
    if re.match(r"(?i)(?:refuse|decline|say|tell|send|ask)\b", refusal):
        words = instructions.instead(refusal)
        return Reply("secret", words) if words else _clip("secret")
    return None


def words_of(item):
    """What an item says, as text; of sound, what was heard in it."""
    return item.heard.words or item.words


def scene_of(item):
    """The name of the scene that an item belongs to; "off the map" where none does."""
    if item.idle:
        return "idle"
    known = [h.name for h in item.heard.clips]
    if known:
        return next(name for name, scene in scenes().items() if known[-1] in scene.get("heard", []))
    words = words_of(item)
    near = meaning.nearest(words, len(scenes()))
    # a pattern knows some words of its scene, and not what else is asked with them: it decides
    # between scenes that are as near, or where none is near
    as_near = {one.scene for one in near if one.likeness >= near[0].likeness - AS_NEAR}
    if not near or near[0].likeness < meaning.ENOUGH:
        return _by_pattern(words, scenes()) or "off the map"
    return (_by_pattern(words, as_near) if as_near > {near[0].scene} else "") or near[0].scene


def _by_pattern(words, names):
    """The first scene of scenes.toml, of those named, whose pattern finds something; or ""."""
    fits = lambda scene: words and re.search(scene.get("asked", "$^"), words, re.I | re.S)
    return next((name for name, scene in scenes().items() if name in names and fits(scene)), "")


def known(words):
    """Whether words mean something that a scene answers."""
    return meaning.meant(words) is not None


def unknown(item):
    """Why nothing here answers an item, in words that can be said aloud, too."""
    heard = item.heard
    if heard.why:
        return heard.why
    if heard.unsure:
        return f"It sounded like “{heard.spoken[:120]}”, but ears here know English alone, and are not sure of it."  # fmt: skip
    if item.pcm and not heard.spoken:
        known = ", ".join(n for n, c in sounds.clips().items() if c["side"] == "user")
        return f"No recording on this machine sounds like this. Known: {known}. {left_out.NO_EARS}"
    near = [f"“{found.phrase}”" for found in meaning.nearest(words_of(item), 2) if "{" not in found.phrase]  # fmt: skip
    like = f" The nearest that is known: {near[0]}." if near else ""
    verb = "Heard" if heard.spoken else "Nothing here answers"
    known = " No scene here answers it." if heard.spoken else ""
    return (
        f"{verb} “{words_of(item)[:200]}”.{known}{like} Ask “What can you do?” for what is, such as a tax, "
        "the days until a holiday, or who answers."
    )


def _off(why):
    return replace(_clip("off the map"), why=why)


def _clip(name, given=None):
    """A scene's answer without slots: its clip's words, or those that a mouth says."""
    language, scene = given.manner.language if given else "en", scenes()[name]
    if language in ("en", "pirate"):
        words = sounds.clips()[scene["clip"]]["transcript"] if "clip" in scene else scene["say"]
        return Reply(name, words)
    if name in ("spanish", "window") and language == "es":  # it is Spanish already
        return _clip(name)
    return Reply(name, _in(scene, language), language=language)


def _in(scene, language):
    """A scene's words in another language. Raises Unclear where nobody wrote them."""
    if language not in scene:
        raise Unclear(f"Nobody wrote here what is said about “{scene['name']}” in that language. {instructions.KNOWN}")  # fmt: skip
    return scene[language]


def _said(scene, key, values, given):
    language = given.manner.language
    if language in ("en", "pirate"):
        return scene[key].format_map(values)
    try:
        return _in(scene, language).format_map(values)
    except KeyError:  # a day beside the scene's own
        raise Unclear(f"Only the plain question about “{scene['name']}” is answered in that language.") from None  # fmt: skip


def _dressed(found, given):
    """A Reply in the manner that instructions ask for."""
    if not found.text:
        return found
    rules = given.manner
    if rules.fixed:
        return replace(found, text=rules.fixed)
    before = "Arr!" if rules.language == "pirate" else ""
    return replace(found, before=" ".join(filter(None, (before, rules.before))), after=rules.after)


def _topics(words):
    """The topics of all scenes that are named in words."""
    known = {topic for scene in scenes().values() for topic in scene.get("topics", [])}
    return known & set(re.findall(r"\w+", words.lower()))


def _judged(yes, about, no, items):
    """A one-word verdict on what was said last: the first word where it is about a topic of the
    condition, else the second.
    """
    known = sorted({t for scene in scenes().values() for t in scene.get("topics", [])})
    wanted = _topics(about)
    if not wanted:
        raise Unclear(f"A guard here goes by topics, and finds none of its own in “{about}”. It knows: {', '.join(known)}.")  # fmt: skip
    said = [item for item in items if item.data["type"] == "message"]
    asked = max((i for i, item in enumerate(said) if item.data["role"] == "user"), default=0)
    found = [scene_of(item) for item in said[asked:] if item.data["role"] == "user"]
    if "off the map" in found:
        raise Unclear(f"What this is about is not known here. {unknown(said[asked])}")
    topics = {topic for name in found for topic in scenes()[name].get("topics", [])}
    return Reply("verdict", yes if topics & wanted else no)


# --- functions ------------------------------------------------------------------------------------


def _returned(output, items):
    """What is said when a function has answered."""
    at = next(
        i
        for i, item in enumerate(items)
        if item.data["type"] == "function_call"
        and item.data.get("call_id") == output.data["call_id"]
    )
    call = items[at]
    _readable("The arguments of the function", call.data["arguments"])
    asked = next((item for item in reversed(items[:at]) if item.data.get("role") == "user"), None)
    if asked is not None:
        _readable("What the function was called for", words_of(asked), most=ASKED)
    name = scene_of(asked) if asked is not None else next((n for n, s in scenes().items() if "tool" in s and re.search(s["tool"], call.data["name"], re.I)), "off the map")  # fmt: skip
    scene, said = scenes()[name], output.data["output"]
    if "slots" not in scene:
        raise Unclear(f"What to say about the output of {call.data['name']} nobody wrote down here: it was not asked for a date or a tax.")  # fmt: skip
    if scene["slots"] == "christmas":
        day, days = returned.day_or_days(said)
        if day:
            return Reply(
                name, scene["say"].format_map(christmas(day, words_of(asked) if asked else ""))
            )
        if days is None:
            return _clip(name)
        return Reply(name, scene["say_count"].format(away=asked_days.away(days)))
    amount = returned.amount(said)
    if amount is None:
        return _clip(name)
    income = calling.income_of(call.data["arguments"])
    if income is None:
        income = _values(scene, words_of(next(item for item in reversed(items[:at]) if item.data.get("role") == "user")), instructions.Told())["amount"]  # fmt: skip
    return Reply(name, scene["say_count"].format(income=dollars(income), tax=dollars(amount)))


# --- slots ----------------------------------------------------------------------------------------


def _values(scene, words, given, items=()):
    return SLOTS[scene["slots"]](spoken_numbers.digits(words), given, items)


def date_in(text):
    """The first date that a text names, or None. Raises Unclear for one that cannot be."""
    found = dates.DATE.search(text)
    return reading.date(found[0]) if found else None


def _asked_christmas(text, given, items):
    return christmas(date_in(text) or given.today or DAY_9, text)


def christmas(today, words=""):
    """The values of the days until Christmas, from a date: the next one, or the one, or the day
    beside it, that words mean.
    """
    now, day, name = asked_days.asked(dates.DATE.sub(" ", words) + " Christmas", today)
    n, weeks = (day - now).days, asked_days.in_weeks(words)
    values = {
        "date": asked_days.said(now),
        "away": asked_days.away(n, weeks),
        "holiday": name,
        "is": "was" if n < 0 else "is",
    }
    return values | (_christmas_elsewhere(now, n) if name == "Christmas" and not weeks else {})


def _christmas_elsewhere(now, n):
    """A date, and the days from then to Christmas, in the other languages."""
    month = {language: names.split()[now.month - 1] for language, names in MONTHS.items()}
    first, days, s = "1er" if now.day == 1 else now.day, abs(n), "s" * (abs(n) != 1)
    return {
        "date_es": f"Es el {now.day} de {month['es']}",
        "away_es": "hoy es Navidad" if n == 0 else f"y la Navidad fue hace {days} día{s}" if n < 0 else f"y falta{'n' * (n != 1)} {n} día{s} para Navidad",
        "date_fr": f"Nous sommes le {first} {month['fr']}",
        "away_fr": "c'est Noël" if n == 0 else f"Noël était il y a {days} jour{s}" if n < 0 else f"il reste {n} jour{s} jusqu'à Noël",
        "date_de": f"Heute ist der {now.day}. {month['de']},",
        "away_de": "es ist Weihnachten" if n == 0 else f"Weihnachten war vor {days} Tag{'en' * (days != 1)}" if n < 0 else f"bis Weihnachten sind es noch {n} Tag{'e' * (n != 1)}",
    }  # fmt: skip


MONTHS = {
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
}


AS_YEAR = re.compile(
    r"(?i)\b(?:in|for|of|year) (?:the )?(?:tax )?(?:year )?(\d{4})\b(?! ?(?:dollars|\$|k\b))"
)


NO_TAX = [  # what changes the question, and the tables here do not know
    (r"(?:sales|state|property|local|city|capital[ -]gains?|estate|gift|inheritance|payroll|social security|self[ -]employment|value added)(?: income)? tax(?:es)?|vat|in (?!America\b)(?-i:[A-Z][a-z]+)", "The tax tables here are for the federal income tax of the United States"),
    (r"(?:a|an|per|every|each) (?:month|week|hour|day)|monthly|weekly|biweekly|hourly|daily", "The tax tables here are for the income of a whole year"),
    (r"(?:tax )?brackets?|marginal|rates?|refunds?", "The tax tables here are for the tax that is due"),
    (r"minus|negative|loss(?:es)?", "The Tax Table is for incomes from 0 dollars on"),
    (r"euros?|pounds?|francs?|yen|yuan|rupees?|pesos?|canadian|australian", "The tax tables here are for dollars of the United States"),
]  # fmt: skip


def tax_on(text, given=None, items=()):
    """The values of a tax question, from its words. Raises Unclear for what they do not say."""
    named = AS_YEAR.search(text)
    year = int(named[1]) if named else YEAR
    if year not in tax.years():
        raise Unclear(f"The tax tables here are those of {' and '.join(map(str, tax.years()))}, not of {year}.")  # fmt: skip
    rest = AS_YEAR.sub(" ", text)
    for pattern, why in NO_TAX:
        if other := re.search(rf"(?i)\b(?:{pattern})\b", rest):
            raise Unclear(f"{why}, not for “{other[0].strip()}”.")
    amounts = [m[0].strip() for m in re.finditer(rf"(?i)(?<![\w.,]){reading.MONEY}", rest)]
    if len(amounts) != 1:
        raise Unclear(f"Which income is meant is not clear in “{text[:200]}”: write it as “What is the tax on 9,325 dollars?”")  # fmt: skip
    income = reading.money(amounts[0])
    if income is None or income < 0 or income.denominator != 1:
        raise Unclear(f"The Tax Table takes whole dollars from 0 on, not {amounts[0]}.")
    kind = slot_values.status_in(rest)
    return {
        "income": dollars(int(income)),
        "tax": dollars(tax.tax(year, kind, int(income))),
        "year": year,
        "amount": int(income),
        "status": kind,
        "who": WHO[kind],
    }


def dollars(n):
    """An amount as it is said: 933 dollars, 932.50 dollars.

    >>> dollars(933), dollars(932.5)
    ('933 dollars', '932.50 dollars')
    """
    return f"{float(n):,.2f} dollars" if n != int(n) else counted(int(n), "dollar")


SLOTS = slot_values.SLOTS | {"christmas": _asked_christmas, "tax": tax_on}
SCENES = {  # a scene's words, as a JSON schema
    "required": ["scene"],
    "properties": {
        "scene": {
            "items": {
                "type": "object",
                "required": ["name"],
                "anyOf": [{"required": ["clip"]}, {"required": ["say"]}],
                "properties": {
                    **dict.fromkeys(("heard", "must", "topics", "phrases"), {"type": "array"}),
                    "slots": {"enum": list(SLOTS)},
                    "speed": {"type": "number"},
                },
                "additionalProperties": {"type": "string"},
            }
        }
    },
}
