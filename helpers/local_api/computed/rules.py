"""A developer's rules, read clause by clause: a language, a unit, a form, a tone. A clause that is
not known is no rule of ours.

That is the point: an answer must follow all of a rule or not be given. `read` raises Unclear with
the words that it does not know.
"""

import re
from dataclasses import dataclass, replace

from . import languages
from .reading import Unclear

UNITS = {
    "celsius": r"(?:(?:degrees?|degrés?|grad|grados?|gradi|graus?|graden) )?(?:celsius|centigrade)|°\s?c|degrees c|c|摄氏度?|摂氏",
    "fahrenheit": r"(?:(?:degrees?|degrés?|grad|grados?|gradi|graus?|graden) )?fahrenheit|°\s?f|degrees f|f|华氏度?|華氏",
    "kelvin": r"kelvins?|k|开尔文|ケルビン",
    "rankine": r"(?:degrees? )?rankine|°\s?r",
    "gas": r"gas marks?|gas",
}
UNIT = "|".join(UNITS.values())
LANGUAGE = "|".join(languages.NAMES)
VERB = r"(?:please )?(?:(?:you (?:must|should|will) |always |only |just )*)(?:answer|reply|respond|speak|write|talk|give|say|use|return)(?: me| us)?(?: always| only| just)*"
LONGEST = 2_000  # characters
WHO = r"assistants?|cooks?|chefs?|bakers?|cooking assistant|kitchen (?:help|helper|assistant)|oven (?:assistant|app|helper)|calendar(?: assistant)?|calculator|converter|unit converter|teachers?|tutors?|math(?:s|ematics)? (?:teacher|tutor)|people|users?"


@dataclass(frozen=True)
class Rules:
    """How an answer is to be given. form: "" (as the topic does), word, number, json, table, upper,
    lower.
    """

    language: str = "en"
    unit: str = ""
    form: str = ""
    markdown: bool = False
    given: bool = False  # a language, a tone or a form was asked for
    before: str = ""  # words that every answer begins with
    after: str = ""  # and ends with
    fixed: str = ""  # words that every answer is

    def dressed(self, said):
        """An answer with the words that it is to begin and end with."""
        return self.fixed or f"{self.before} {said} {self.after}".strip()


PLAIN = Rules()
FORMS = {
    "word": r"(?:in|with|using) (?:exactly |only |just )?(?:one|a single|1) word",
    "number": r"(?:with |in )?(?:only )?(?:the|a|one|a single) number(?: only| alone|, nothing else)?|(?:in|with) (?:numbers|digits)(?: only)?|(?:only )?numbers",
    "json": r"(?:in|as|with|using)?\s?(?:valid )?json(?: only| format)?",
    "table": r"(?:in|as|with|using) (?:a )?(?:markdown )?table(?: only| format)?",
    "upper": r"in (?:capitals?(?: letters)?|upper ?case)(?: letters)?",
    "lower": r"in (?:small letters|lower ?case)(?: letters)?",
}


def read(texts):
    """The Rules that developer messages make together, the later over the earlier. Raises
    Unclear.
    """
    rules = PLAIN
    for text in texts:
        if len(text) > LONGEST:
            raise Unclear(f"Rules of more than {LONGEST} characters are not read here.")
        for sentence in sentences(text):
            made = clause(sentence, rules)
            if made is None:
                raise Unclear(
                    f"What to do about the rule “{sentence}” nobody wrote down here. Known: a unit, a language "
                    "(French, Spanish, German, Italian, Portuguese, Dutch, Chinese, Japanese), a pirate, one word, "
                    "the number only, JSON, a table, capital letters, “be brief”, “begin with '…'”, “end with '…'”, “always answer '…'”."
                )
            rules = made
    return rules


def sentences(text):
    return [s.strip() for s in re.split(r"(?<=[.!?])\s+|(?<=[。！？])", text) if s.strip(" .!")]


def clause(sentence, rules=PLAIN):
    """`rules` with what a sentence asks, or None where it is not known."""
    said = sentence.strip().rstrip(".!。！").casefold()
    for language in languages.OWN_WORDS:
        if made := _foreign(said, language, rules):
            return made
    if re.fullmatch(rf"you (?:are|help|assist)(?: an?| the| our| my)?(?: (?:helpful|friendly|kind|careful|polite|useful|expert))*(?: (?:{WHO}))+(?: for (?:{WHO}))?", said):  # fmt: skip
        return rules
    if re.fullmatch(r"(?:many )?thanks?(?: you)?(?: very much| a lot| in advance)?|please", said):
        return rules
    if said == "answer with the date and its weekday":  # of notebooks/5_sdks/clients
        return rules
    if re.fullmatch(rf"{VERB} (?:politely|kindly|briefly|shortly|correctly|precisely)", said):
        return rules
    if re.fullmatch(r"(?:please )?(?:be|keep (?:it|your answers?)) (?:brief|concise|short|precise|polite|accurate|correct|helpful)(?: and (?:brief|concise|short|precise|polite|accurate|correct|helpful))*", said):  # fmt: skip
        return rules
    if re.fullmatch(rf"(?:you are|act as|act like|{VERB} like|pretend to be)? ?(?:a |an )?pirate(?: captain)?", said) or re.fullmatch(rf"{VERB} (?:in )?pirate(?: speak)?", said):  # fmt: skip
        return replace(rules, language="pirate", given=True)
    if re.fullmatch(r"(?:markdown )?formatting(?: is| has been)? re-?enabled|(?:please )?use markdown|(?:markdown|tables?) (?:is|are) (?:allowed|welcome)", said):  # fmt: skip
        return replace(rules, markdown=True)
    own = _own_words(sentence, rules)
    if own:
        return own
    found = re.fullmatch(rf"{VERB} (.+)", said)
    if found:
        return _tails(found[1], rules)
    found = re.fullmatch(rf"(?:only )?(in (?:{LANGUAGE}|json|{UNIT}).*|(?:one word|json|a table|numbers?)(?: only)?)(?:,? please)?", said)  # fmt: skip
    return _tails(found[1], rules) if found else None


def _foreign(said, language, rules):
    """`rules` with what a sentence in another language asks: that language, a unit, or both. None
    where it asks anything else.
    """
    verb, within, name, fillers, also = languages.OWN_WORDS[language]
    edge, gap = ("", r"\s*") if language in languages.UNSPACED else (r"\b", r"\s")
    bare = re.sub(rf"{edge}(?:{fillers}){edge}", "", said).strip(" ,，、")
    rest = re.sub(rf"^(?:{verb}){edge}|(?:{verb})$", "", bare)
    if rest == bare:
        return None
    asked = []
    for piece in re.split(rf"[,，、]|{gap}(?:{also}){gap}", rest):
        found = re.fullmatch(
            rf"(?:(?:{within})\s?)?(?P<name>{name})|(?:{within})\s?(?P<unit>{UNIT})",
            " ".join(piece.split()),
        )
        if not found:
            return None
        asked.append(found)
    for found in asked:
        if found["name"]:
            rules = replace(rules, language=language, given=True)
        else:
            rules = replace(rules, unit=unit(found["unit"]))
    return rules


QUOTED = r"[\"'“‘«](?P<words>[^\"'”’»]{1,80})[\"'”’»]"
EACH = r"(?:(?:each|every|all|your|the) )+answers?"


def _own_words(sentence, rules):
    """What a rule says in words of its own: begin with "Dear cook", end with "!", always answer
    "no", call me Chef.
    """
    said = sentence.strip().rstrip(".")
    always = r"(?:please )?(?:always )?"
    if found := re.fullmatch(rf"(?i){always}(?:begin|start|open) (?:{EACH} )?with {QUOTED}", said):
        return replace(rules, before=found["words"])
    if found := re.fullmatch(rf"(?i){always}(?:end|finish|close) (?:{EACH} )?with {QUOTED}", said):
        return replace(rules, after=found["words"])
    if found := re.fullmatch(rf"(?i)(?:please )?always (?:answer|say|reply|respond)(?: with)? {QUOTED}", said):  # fmt: skip
        return replace(rules, fixed=found["words"])
    if found := re.fullmatch(r"(?i)(?:please )?(?:always )?(?:call|address) (?:me|the user|them) (?:as )?[\"']?(?P<words>\w+)[\"']?", said):  # fmt: skip
        return replace(rules, before=f"{found['words']},")
    if re.fullmatch(r"(?i)(?:please )?(?:always )?use (?:an |some )?emojis?", said):
        return replace(rules, after="🙂")
    return None


def _tails(text, rules):
    """What follows the verb: one or more of `in French`, `in celsius`, `with one word`, joined by
    commas and `and`.
    """
    text = re.sub(r",? (?:and nothing else|nothing else|only|alone|please)$", "", text)
    whole = _tail(text, rules)
    if whole:
        return whole
    for part in re.split(r",? and |, ?| (?=(?:in|as|with|like) )", text):
        rules = _tail(part, rules)
        if rules is None:
            return None
    return rules


def _tail(text, rules):
    if re.fullmatch(
        r"(?:with )?(?:only )?(?:one|a|the|a single) (?:temperature|heat|value|number)", text
    ):
        number = text.endswith("number")
        return replace(rules, form="number" if number else "bare", given=rules.given or number)
    for form, words in FORMS.items():
        if re.fullmatch(words, text) or re.fullmatch(words, f"in {text}"):
            return replace(rules, form=form, given=True)
    found = re.fullmatch(rf"(?:in |with |using )?({LANGUAGE})(?: language)?(?: only)?", text)
    if found:
        return replace(rules, language=languages.NAMES[found[1]], given=True)
    found = re.fullmatch(rf"(?:in |with |using )?({UNIT})", text)
    if found:
        return replace(rules, unit=unit(found[1]))
    if re.fullmatch(r"like a pirate", text):
        return replace(rules, language="pirate", given=True)
    return None


def unit(text):
    """celsius, fahrenheit, kelvin, rankine or gas; None for any other word."""
    return next(
        (name for name, words in UNITS.items() if re.fullmatch(words, text.strip().casefold())),
        None,
    )
