"""Source code in any language as strings, words and brackets. It is not parsed: a file that does not
compile is read like any other.
"""

import functools
import re
from dataclasses import dataclass, field

SLASHES = {
    ".js",
    ".jsx",
    ".mjs",
    ".cjs",
    ".ts",
    ".tsx",
    ".mts",
    ".cts",
    ".go",
    ".java",
    ".kt",
    ".kts",
    ".scala",
    ".c",
    ".h",
    ".cc",
    ".cpp",
    ".hpp",
    ".ino",
    ".cs",
    ".rs",
    ".swift",
    ".dart",
    ".php",
}
SETTINGS = {".yaml", ".yml", ".toml", ".env", ".ini", ".cfg", ".conf", ".properties"}
HASHES = {".py", ".sh", ".rb"} | SETTINGS
PLAIN = {".json", ".jsonl", ".html", ".htm", ".vue", ".svelte"}

STRINGS = {
    "slashes": r'`(?:\\.|[^`\\])*+`?|"(?:\\.|[^"\\\n])*+"?|\'(?:\\.|[^\'\\\n])*+\'?',
    "hashes": r'(?:"""(?:\\.|[^\\])*?(?:"""|\Z)|\'\'\'(?:\\.|[^\\])*?(?:\'\'\'|\Z))|"(?:\\.|[^"\\\n])*+"?|\'(?:\\.|[^\'\\\n])*+\'?',
    "shell": r'"(?:\\.|[^"\\])*+"?|\'[^\']*+\'?',
    "json": r'"(?:\\.|[^"\\\n])*+"?',
    "plain": r'"(?:\\.|[^"\\\n]){0,2000}"|\'(?:\\.|[^\'\\\n]){0,2000}\'',  # an apostrophe of prose is no quote
}
COMMENTS = {
    "slashes": r"//[^\n]*|/\*.*?(?:\*/|\Z)",
    "hashes": r"\#[^\n]*",
    "shell": r"(?<![^\s;])\#[^\n]*",
    "json": r"(?!)",
    "plain": r"<!--.*?(?:-->|\Z)|(?<!:)//[^\n]*",
}
WORD = r"[A-Za-z_$][\w$]*(?:(?:\(\))?\s{0,200}\??\.\s{0,200}[A-Za-z_$][\w$]*)*"


@functools.cache
def _lexer(kind):
    return re.compile(
        f"(?P<comment>{COMMENTS[kind]})|(?P<string>{STRINGS[kind]})|(?P<word>{WORD})|(?P<open>[\\[({{])|(?P<close>[\\])}}])|(?P<semicolon>;)",
        re.S,
    )


@dataclass(eq=False)
class Group:
    """What stands between two brackets: the words before them, the group around, its keys. `unit`
    counts statements.

    bracket: the opening one; "" for what stands in none, as a whole file, or a text in a string.
    """

    head: str = ""
    up: "Group | None" = None
    bracket: str = ""
    unit: int = 0
    keys: list = field(default_factory=list)


@dataclass(eq=False)
class Token:
    """A string or a word. `value`: a string's content; `key`: the name that it gives to what
    follows, or empty.
    """

    value: str
    start: int
    string: bool
    group: Group
    unit: int
    key: str = ""
    short: bool = False  # a key that is its own value
    after: "Token | None" = None  # the next one


class Code:
    """A text as Tokens, with `clean`, the text without comments and docstrings, of the same length."""

    def __init__(self, text, end):
        self.tokens, self.known, self.settings, clean = (
            [],
            constants(text),
            end in SETTINGS,
            list(text),
        )
        self._read(text, 0, _kind(end), Group(), clean, 3, end)
        self.clean = "".join(clean)
        for one, after in zip(self.tokens, self.tokens[1:]):
            one.after = after

    def _read(self, text, at, kind, group, clean, depth, end=""):
        unit = lambda: group.unit
        for m in _lexer(kind).finditer(text):
            start, what = m.start(), m.lastgroup
            if (
                what == "comment"
                or what == "string"
                and end == ".py"
                and m[0][:3] in ('"""', "'''")
                and _docstring(text, start)
            ):
                clean[at + start : at + m.end()] = [c if c == "\n" else " " for c in m[0]]
            elif what == "open":
                group = Group(text[max(0, start - 60) : start], group, m[0])
            elif what == "close":
                group = group.up or group
            elif what == "semicolon":
                group.unit += 1
            else:
                if what == "string":
                    quote = 3 if m[0][:3] in ('"""', "'''") else 1
                    value = m[0][quote:-quote] if m[0].endswith(m[0][:quote]) else m[0][quote:]
                    token = Token(value.rstrip(), at + start + quote, True, group, unit())
                else:
                    token = Token(m[0], at + start, False, group, unit())
                token.key = _key(text, m, token, end in SETTINGS)
                self.tokens.append(token)
                if token.key:
                    group.keys.append(token)
                if (
                    what == "string" and depth and re.search(r"[\"'\n{=]", value)
                ):  # JSON in a shell's string, a page in a program's
                    self._read(
                        value.replace('\\"', ' "').replace("\\n", "\n "),
                        at + start + quote,
                        "plain",
                        Group(text[max(0, start - 200) : start], group),
                        clean,
                        depth - 1,
                    )


def _kind(end):
    """Which of STRINGS and COMMENTS a file has, by the end of its name."""
    if end == ".sh":
        return "shell"
    if end in (".json", ".jsonl"):
        return "json"
    if end in SLASHES:
        return "slashes"
    return "hashes" if end in HASHES else "plain"


def _docstring(text, start):
    before = text[max(0, start - 400) : start].rstrip(" \t")
    return (
        not before
        or before.endswith("\n")
        and not before.rstrip().endswith(("(", ",", "=", "[", "{", "+", "\\"))
    )


def _key(text, m, token, settings):
    """The name that a token gives to what follows, or "". A statement `voice = "alloy"` gives none:
    the name is the program's own.
    """
    if not _names_it(text, m, token, settings):
        return ""
    return plain(token.value if token.string else re.split(r"[.\s]+", token.value)[-1])


def _names_it(text, m, token, settings):
    """Whether a token is the key of what follows it, by the sign between them."""
    before, after = text[max(0, m.start() - 40) : m.start()], text[m.end() : m.end() + 3].lstrip()
    bracket = token.group.bracket
    if after.startswith("=>"):  # in PHP and Ruby; after a word, a function of JavaScript
        return token.string
    if re.match(r":(?![:=])", after):
        of_a_switch = re.search(r"\bcase\s+[\"'`]?$", before[-9:] + text[m.start() : m.start() + 1])
        return (settings or bracket in ("{", "(")) and not of_a_switch
    if re.match(r"=(?!=)", after):
        in_an_object = bracket == "{" and re.search(r"\bnew\b[^;{}]*$", token.group.head)  # of C#
        return settings or bracket == "(" or bool(in_an_object)
    if token.string:
        return False
    if _is_shorthand(token, before, after):
        token.short = "." not in token.value
        return token.short
    return after[:1] == "(" and ("." in token.value or before[-1:] == ".")


def _is_shorthand(token, before, after):
    """Whether a word stands as in create({ model, tools }) of JavaScript."""
    return (
        token.group.bracket == "{"
        and after[:1] in ("", ",", "}")
        and re.search(r"\(\s*$", token.group.head)
        and re.search(r"[{,]\s*$", before)
    )


def plain(name):
    """A name without its underscores and capitals: maxTokens is max_tokens."""
    return name.replace("_", "").lower()


def constants(text):
    """{name: string} of every `NAME = "text"`, in any language."""
    return dict(
        re.findall(
            r"\b([A-Za-z_]\w*)\s{0,20}(?::\s{0,20}\w+\s{0,20})?:?=\s{0,20}[\"']([\w.:/-]{1,80})[\"']",
            text,
        )
    )
