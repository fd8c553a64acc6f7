"""A text as words, strings and brackets. Pygments tells comments and strings from code in every
language; words and brackets look alike in all of them.
"""

import bisect
import functools
import re
from dataclasses import dataclass, field

from pygments.lexer import RegexLexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Name, String, Text

from ...common.once import once
from .files import ENDS
from .speaks import speaker

WORD = r"[A-Za-z_$][\w$]*(?:(?:\(\))?\s{0,200}[?!]?(?:\.|->|::)\s{0,200}[A-Za-z_$][\w$]*)*"
_CODE = re.compile(rf"(?P<word>{WORD})|(?P<open>[\[({{])|(?P<close>[\])}}])|(?P<semicolon>;)")
# No one writes such a line by hand, and some of Pygments' lexers take time by its square.
_LONG = re.compile(r"[^\n]{2000}")
SETTINGS = {"yaml", "toml", "ini", "properties"}  # lexers of files in which a line is a statement


class Plain(RegexLexer):
    """Text inside a string, and files of no one language: what looks like a string, and comments of
    pages. An apostrophe of prose is no quote.
    """

    flags = re.S
    tokens = {
        "root": [
            (r"<!--.*?-->", Comment),
            (r"(?<!:)//[^\n]*", Comment),
            # thousands of escaped quotes, which nothing closes, would each look for their end
            (r'"[^"\\\n]*+(?:\\.[^"\\\n]*+){0,500}+"', String),
            (r"'[^'\\\n]*+(?:\\.[^'\\\n]*+){0,500}+'", String),
            (r"[^\"'/<]+", Text),
            (r".", Text),
        ]
    }


@functools.cache
def _lexer(alias):
    return Plain() if alias == "plain" else get_lexer_by_name(alias)


@dataclass(eq=False, slots=True)
class Group:
    """What stands between two brackets: the text before them, the group around, its Tokens. `unit`
    counts statements.

    bracket: the opening one; "" for what stands in none, as a whole file, or a text in a string.
    Complete, and asked for its keys, only when the whole text has been read: most are never asked.
    """

    head: str = ""
    up: "Group | None" = None
    bracket: str = ""
    unit: int = 0
    tokens: list = field(default_factory=list)
    _keys: list | None = None
    _ends: dict | None = None
    _beside: dict | None = None

    @property
    def keys(self):
        """The Tokens that give a name to what follows, in order."""
        if self._keys is None:
            self._keys = []
            for token in self.tokens:
                token.find_key()
                if token._key:
                    self._keys.append(token)
        return self._keys

    @property
    def in_order(self):
        """Whether a key depends on those before it, as among the arguments of a call."""
        return self.bracket == "("

    def named(self, key):
        """The Tokens that give this name, in order."""
        if self._ends is None:
            self._ends = by_end(self.tokens)
        return [t for t in self._ends.get(key, ()) if t.key == key]

    def beside(self, unit):
        """{key: Token} of what is said in one statement."""
        if self._beside is None:
            self._beside = {}
            for token in self.keys:
                self._beside.setdefault(token.unit, {})[token._key] = token
        return self._beside.get(unit, {})


@dataclass(eq=False, slots=True)
class Token:
    """A string or a word. `value`: a string's content; `key`: the name that it gives to what
    follows, or empty; `form`: how it does, "field" as in {key: value}, or "declared" as a member of
    a class, an assignment to a member, a pair, a tag; `receiver`: whose member it is, where said.
    """

    value: str
    start: int
    string: bool
    group: Group
    unit: int
    _place: tuple  # the text that it stands in, where it begins and ends there, whether lines count
    _key: str = ""
    _form: str | None = None  # not known so far
    _receiver: str = ""
    whole: str = ""  # a string with those that are put to its end: "gpt-" "4o", "gpt-" + "4o"
    after: "Token | None" = None  # the next one

    @property
    def key(self):
        return self._known()._key

    @property
    def form(self):
        return self._known()._form

    @property
    def receiver(self):
        return self._known()._receiver

    def _known(self):
        if self._form is None:
            _ = self.group.keys if self.group.in_order else self.find_key()
        return self

    def find_key(self):
        if self._form is None:
            text, start, end, settings = self._place
            self._key, self._form, self._receiver = _key(text, start, end, self, settings)


class Code:
    """A text as Tokens, with `clean`, the text without comments and docstrings, of the same length.

    end: an end of `ENDS`. path: of the file, which may say whose it is. worth: whether a text
    within a string need be read. known: {name: text} of constants that other cells give. breaks:
    places where brackets begin anew, as each fence of a page does.
    """

    def __init__(self, text, end, path="", worth=lambda text: True, known=None, breaks=()):
        alias = "plain" if end not in (".json", ".jsonl") and _LONG.search(text) else ENDS[end]
        self.text, self.end, self.path, self._worth = text, end, path.lower(), worth
        self.settings = alias in SETTINGS
        self._given, self._keyed = known or {}, {}
        self.tokens, self._blank = [], []
        self._read(text, 0, alias, Group(), 3, breaks)
        self.clean = _blanked(text, sorted(self._blank))
        self.lower = self.clean.lower()
        self.speaks = speaker(self.lower, path)
        self._lines = [m.end() for m in re.finditer("\n", text)]
        for one, after in zip(self.tokens, self.tokens[1:]):
            one.after = after
        _join(self.tokens, self.clean, alias)

    @once
    def known(self):
        """{name: text} of constants, of the text and given."""
        return {**constants(self.text), **self._given}

    @once
    def _ends(self):
        return by_end(self.tokens)

    def keyed(self, key):
        """The Tokens that give a key, in order."""
        if key not in self._keyed:
            self._keyed[key] = [t for t in self._ends.get(key, ()) if t.key == key]
        return self._keyed[key]

    def place(self, start):
        """(line, column) of a character, both from 1."""
        n = bisect.bisect_right(self._lines, start)
        return n + 1, start - (self._lines[n - 1] if n else 0) + 1

    def _read(self, text, at, alias, group, depth, breaks=()):
        blank, strings = [], []
        for kind, start, end in _spans(text, alias):
            left_out = kind == "comment" or alias == "python" and _docstring(text, start, end)
            (blank if left_out else strings).append((start, end))
        code = _blanked(text, blank)
        self._blank += ((at + start, at + end) for start, end in blank)
        top, pending = group, list(breaks)
        done = 0
        for start, end in (*strings, (len(text), len(text))):
            for m in _CODE.finditer(code, done, start):
                while pending and m.start() >= pending[0]:
                    pending.pop(0)
                    group = Group(up=top.up)
                what = m.lastgroup
                if what == "open":
                    group = Group(code[max(0, m.start() - 80) : m.start()], group, m[0])
                elif what == "close":
                    group = group.up or group
                elif what == "semicolon":
                    group.unit += 1
                else:
                    place = (code, *m.span(), self.settings)
                    self._add(Token(m[0], at + m.start(), False, group, group.unit, place))
            if start < end:
                group = self._string(text, code, at, start, end, group, depth)
            done = end

    def _string(self, text, code, at, start, end, group, depth):
        raw = text[start:end]
        opened = re.match(r"[A-Za-z@$]{0,3}#*(\"\"\"|'''|[\"'`])?", raw)
        quote = opened[1] or ""
        ahead = opened.end() if quote else 0
        body = raw[ahead:]
        value = body[: -len(quote)] if quote and body.endswith(quote) else body
        place = (code, start, end, self.settings)
        token = Token(value.rstrip(), at + start + ahead, True, group, group.unit, place)
        self._add(token)
        if quote == "`" and (
            tags := re.findall(r'\b(?:json|yaml|bson|mapstructure):"([\w-]+)', value)
        ):
            token._key, token._form = plain(tags[0]), "declared"  # of a struct of Go
            token.value = tags[0]
            token.start += value.find(tags[0])
        elif (
            depth and re.search(r"[\"'\n{=]", value) and self._worth(value)
        ):  # JSON in a shell's string, a page in a program's
            inner = value.replace('\\"', ' "').replace("\\n", "\n ")
            self._read(
                inner,
                token.start,
                "plain",
                Group(code[max(0, start - 200) : start], group),
                depth - 1,
            )
        return group

    def _add(self, token):
        self.tokens.append(token)
        token.group.tokens.append(token)


_LAST = re.compile(r"[\w$-]*$")


def by_end(tokens):
    """{the last word of a Token, as a key has it: such Tokens in order}"""
    ends = {}
    for token in tokens:
        ends.setdefault(plain(_LAST.search(token.value[-60:])[0]), []).append(token)
    return ends


def _blanked(text, places):
    """A text with blanks at these (start, end), but for the ends of lines."""
    parts, done = [], 0
    for start, end in places:
        start = max(start, done)
        parts += text[done:start], _NO_END.sub(" ", text[start:end])
        done = max(done, end)
    return "".join((*parts, text[done:]))


_NO_END = re.compile(r"[^\n]")


class Kinds(dict):
    """{kind of token of Pygments: "comment", "string" or ""}, found out when first asked for."""

    def __missing__(self, token):
        if token in String:
            kind = "string"
        elif token in Comment and token not in Comment.Preproc and token not in Comment.PreprocFile:
            kind = "comment"
        else:
            kind = ""
        self[token] = kind
        return kind


KINDS = Kinds()


def _spans(text, alias):
    """("comment" or "string", start, end) of a text in order. A string has what is put into it:
    f"{this}" is one.
    """
    if alias in LIKE_C:
        return _spans_like_c(text, alias)
    found = QUICK[alias](text) if alias in QUICK else None
    return _spans_by_pygments(text, alias) if found is None else found


_IF_0 = r"^[ \t]*#[ \t]*if[ \t]+0\b.*?(?:(?=^[ \t]*#[ \t]*e)|\Z)"
_COMMENTS = r"//[^\n]*|/\*.*?\*/"
_CHARACTER = r"(?<![\w])'(?:\\.|[^'\\\n]){1,10}'"  # C++ has 1'000, too
_BLOCK = r'"""(?:\\.|[^\\])*?(?:"""|\\?\Z)'


def _quoted(mark):
    """A string in these marks, which ends with its line."""
    return rf"{mark}(?:[^{mark}\\\n]|\\.)*+(?:{mark}|(?=\n)|\\?\Z)"


_LINE, _SINGLE = map(_quoted, "\"'")


def _scanner(*patterns):
    return re.compile("|".join((_COMMENTS, *patterns)), re.S | re.M)


# What tells comments and strings in languages whose lexers in Pygments look for the head of a
# function, and take minutes where many short lines or blank ones stand together.
LIKE_C = {
    **dict.fromkeys(
        ("c", "cpp", "objective-c", "objective-c++"),
        _scanner(_IF_0, r'R"([^()\\\s]{0,16})\(.*?\)\1"', f"@?{_LINE}", _CHARACTER),
    ),
    "java": _scanner(_BLOCK, _LINE, _CHARACTER),
    "groovy": _scanner(_BLOCK, _BLOCK.replace('"', "'"), _LINE, _SINGLE),
    "csharp": _scanner(
        r'\$*("{3,}).*?\1', r'(?:@\$?|\$@)"(?:[^"]|"")*(?:"|\Z)', rf"\$?{_LINE}", _CHARACTER
    ),
}


def _spans_like_c(text, alias):
    for m in LIKE_C[alias].finditer(_without_open_ends(text)):
        kind = "comment" if m[0][0] == "/" or m[0].lstrip()[:1] == "#" else "string"
        yield kind, *m.span()


_PYTHON = re.compile(
    r"#[^\n]*"
    + "".join(rf"|{q}(?:\\.|[^\\])*?(?:{q}|\Z)" for q in ('"""', "'''"))
    + f"|{_LINE}|{_SINGLE}",
    re.S,
)
_PREFIX = re.compile(r"(?<!\w)[fFrRbBuU]{1,2}$")


def _spans_of_python(text):
    """What `_spans_by_pygments` gives, a list in a twentieth of the time: most of that goes into
    telling words apart. None where a string's own quotation marks stand in its braces.
    """
    found, kind, ended = [], "", 0
    for m in _PYTHON.finditer(text):
        start, end = m.span()
        now = "comment" if m[0][0] == "#" else "string"
        if now == "string" and (prefix := _PREFIX.search(text, max(0, start - 3), start)):
            start = prefix.start()
            if "f" in prefix[0].lower() and m[0].count("{") != m[0].count("}"):
                return None
        if now == kind == "string" and start == ended:
            start = found.pop()[1]
        found.append((now, start, end))
        kind, ended = now, end
    return found


_SCRIPT = re.compile(
    rf"{_COMMENTS}|{_LINE}|{_SINGLE}|`"
    # where a value is wanted, a slash begins a regular expression, and no division
    r"|(?:[=(,:;!&|?{}\[>+*%~^-]|\breturn\b)\s*"
    r"(?P<pattern>/(?![*/])(?:[^/\\\n\[]|\\.|\[(?:[^\]\\\n]|\\.)*+\])++/[a-z]*)",
    re.S,
)
_OF_TEMPLATE = re.compile(r"\\.|`|\$\{", re.S)
_PUT_IN = re.compile(rf"{_COMMENTS}|{_LINE}|{_SINGLE}|[`{{}}]", re.S)


def _spans_of_script(text):
    """The same for JavaScript and TypeScript."""
    text, found, at = _without_open_ends(text), [], 0
    while m := _SCRIPT.search(text, at):
        at = _end_of_template(text, m.end()) if m[0] == "`" else m.end()
        start = m.start("pattern") if m["pattern"] else m.start()
        found.append(("comment" if m[0][0] == "/" else "string", start, at))
    return found


def _end_of_template(text, at):
    """Where a template of JavaScript ends whose text begins at `at`; what is put into it may have
    templates, too.
    """
    braces = []  # open in what is put in; None for a template in it
    while m := (_OF_TEMPLATE if not braces or braces[-1] is None else _PUT_IN).search(text, at):
        at = m.end()
        if m[0] == "`" and (not braces or braces[-1] is None):
            if not braces:
                return at
            braces.pop()
        elif m[0] == "`":
            braces.append(None)
        elif m[0] == "${":
            braces.append(0)
        elif m[0] == "{":
            braces[-1] += 1
        elif m[0] == "}":
            braces[-1] -= 1
            if braces[-1] < 0:
                braces.pop()
    return len(text)


QUICK = {
    "python": _spans_of_python,
    "javascript": _spans_of_script,
    "typescript": _spans_of_script,
}


def _without_open_ends(text):
    """A text of the same length in which a comment that nothing closes is none, as for Pygments:
    its lexers look for the end anew from each beginning, which takes time by the square.
    """
    for opens, closes in (("/*", "*/"), ("<!--", "-->")):
        behind = text.rfind(closes) + 1
        text = text[:behind] + text[behind:].replace(opens, " " * len(opens))
    return text


def _spans_by_pygments(text, alias):
    kind, begun, ended, inside = "", 0, 0, 0
    for start, token, value in _lexer(alias).get_tokens_unprocessed(_without_open_ends(text)):
        now = KINDS[token]
        if now == "string":
            if token is String.Interpol:
                closes = value.endswith(("}", ")")) and value[:1] not in "{("  # "}", "!r}"
                inside += value.endswith(("{", "(")) - (inside > 0 and closes)
        elif inside and kind == "string" or value[:1] == '"' and token in Name.Tag:
            now = "string"  # what is put into one, the key of an object in JSON
        if now == kind == "string" and start == ended:
            ended = start + len(value)
            continue
        if kind:
            yield kind, begun, ended
        kind, begun, ended = now, start, start + len(value)
        if now != "string":
            inside = 0
    if kind:
        yield kind, begun, ended


_PUT_TOGETHER = re.compile(r"[\"'`]\s*[+.]\s*[fFrRbBuU]{0,2}[\"'`]")
_SIDE_BY_SIDE = re.compile(r"[\"']\s+[fFrRbBuU]{0,2}[\"']")


LONGEST = 200  # characters of what is put together: no id is longer


def _join(tokens, clean, alias):
    joined = _SIDE_BY_SIDE if alias in ("python", "c", "cpp") else None
    strings = [t for t in tokens if t.string]
    for one, after in zip(reversed(strings[:-1]), reversed(strings[1:])):
        one.whole = one.value
        between = clean[one.start + len(one.value) : after.start][:120]
        if _PUT_TOGETHER.fullmatch(between) or joined and joined.fullmatch(between):
            one.whole += (after.whole or after.value)[:LONGEST]


def _docstring(text, start, end):
    """Whether a string is a statement of its own: nothing but a line's beginning before it, and no
    bracket or operator that waits for it.
    """
    if text[start : start + 4].lstrip("rRuUbBfF")[:3] not in ('"""', "'''"):
        return False
    before = text[max(0, start - 400) : start].rstrip(" \t")
    return not before or (
        before.endswith("\n") and not before.rstrip().endswith(("(", ",", "=", "[", "{", "+", "\\"))
    )


_ANNOTATION = re.compile(r"(?:@[\w.:]+|\[\s*[\w.]+|\brename\s*=?)\s*$|#\[serde\($")


_INDEXED = re.compile(r"(?:\b[a-z_]\w*|[)\]])\??\.?$")  # before a bracket: no list, no type
_FOLLOWS = "=?!:],t{})("  # what begins all that may stand behind a name which is given a value
_TYPE = re.compile(r"\b(?:enum|struct|class|interface|type|record|protocol|trait|union)\s+$")


def _key(text, start, end, token, settings):
    """(name, form, receiver) that a token gives to what follows, or three times "". A statement
    `voice = "alloy"` gives none: the name is the program's own.
    """
    after = text[end : end + 40].lstrip()
    if after[:1] not in _FOLLOWS:  # "" too: blanks, or the text's end
        return "", "", ""
    bracket = token.group.bracket
    parts = [] if token.string else re.split(r"[\s.()?!]+|->|::", token.value)
    last = token.value if token.string else parts[-1]
    if token.string and not re.fullmatch(r"[\w-]{1,40}", last):
        return "", "", ""
    if not token.string and _TYPE.search(text[max(0, start - 20) : start]):
        return "", "", ""  # enum Voice: String names a type
    form, receiver = "", parts[-2] if len(parts) > 1 else ""
    if after.startswith("=>"):  # in PHP and Ruby; after a word, a function of JavaScript
        form = "field" if token.string else ""
    elif re.match(r"[?!]?:(?![:=])", after):
        if settings or bracket in ("{", "("):
            case = text[max(0, start - 9) : start + 1]
            form = "" if re.search(r"\bcase\s+[\"'`]?$", case) else "field"
        elif not token.string and not receiver and _line_begins(text, start):
            form = "declared"  # modalities: list[str] in a class
    elif re.match(r"[:?]?=(?![=>])", after):
        if settings or bracket == "(" and not receiver or _object_of_csharp(token):
            form = "field"
        elif receiver:
            form = "declared"  # session.voice = …
    elif after[:1] == "]" and token.string and bracket == "[":
        if re.match(r"\]\s*=(?!=)", text[end : end + 40].lstrip()):
            form = "declared"  # session["voice"] = …
            receiver = _last_word(token.group.head)
        elif _ANNOTATION.search(token.group.head):
            form = "declared"
        elif token.group.tokens[0] is token and _INDEXED.search(token.group.head):
            form, receiver = "declared", _last_word(token.group.head)  # answer["voice"], read
    elif token.string and bracket == "(" and _ANNOTATION.search(token.group.head):
        form = "declared"  # [JsonPropertyName("voice")], @SerializedName("voice")
    elif token.string and after.startswith("to ") or after.startswith("to\t"):
        form = "field" if token.string else ""  # a pair of Kotlin
    elif (
        token.string
        and bracket == "("
        and after[:1] in ((",",) if token.group.keys else (",", ")"))
    ):
        call = _last_word(token.group.head)
        if re.search(r"add|put|set|insert|with|append|property|create|containskey", call, re.I):
            form, receiver = "declared", _receiver_of_call(text, start, token)
    elif after.startswith("{") and re.match(r"\{\s*(?:get|init)\b", after):
        form = "declared"  # a property of C#
    elif _alone_in_braces(text, start, after, token):
        form = "short"  # create({ model, tools }) of JavaScript
    elif not token.string and after[:1] == "(" and (receiver or text[:start][-1:] == "."):
        form = "call"  # a builder: .voice(…)
    return (plain(last), form, receiver) if form else ("", "", "")


def _line_begins(text, start):
    return not text[text.rfind("\n", 0, start) + 1 : start].strip()


def _object_of_csharp(token):
    return token.group.bracket == "{" and bool(re.search(r"\bnew\b[^;{}]*$", token.group.head))


def _alone_in_braces(text, start, after, token):
    return (
        token.group.bracket == "{"
        and not token.string
        and "." not in token.value
        and after[:1] in ("", ",", "}")
        and bool(re.search(r"\(\s*$", token.group.head))
        and bool(re.search(r"[{,]\s*$", text[max(0, start - 40) : start]))
    )


def _last_word(head):
    words = re.findall(r"[A-Za-z_]\w*", head[-80:])
    return words[-1] if words else ""


def _receiver_of_call(text, start, token):
    """Of add(session, "voice", …) the first argument; of session.put("voice", …) what is before
    the dot.
    """
    line = text[max(0, start - 80) : start]
    first = re.search(r"\(\s*&?([A-Za-z_]\w*)\s*,\s*[\"'`]?$", line)
    if first:
        return first[1]
    called = re.search(r"([A-Za-z_]\w*)\s*(?:\.|->|::)\s*\w+\s*\(?\s*[\"'`]?$", line)
    return called[1] if called else ""


def plain(name):
    """A name as all spellings of it have it: input_audio_format, inputAudioFormat."""
    return name.replace("_", "").replace("-", "").lower()


def constants(text):
    """{name: string} of every `NAME = "text"`, in any language."""
    return dict(_CONSTANT.findall(text))


_CONSTANT = re.compile(
    r"\b([A-Za-z_]\w{0,60})\s{0,20}(?::\s{0,20}\w{1,60}\s{0,20})?:?=\s{0,20}[\"']([\w.:/-]{1,80})[\"']"
)
