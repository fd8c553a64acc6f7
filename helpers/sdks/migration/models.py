"""Where models that end stand in a text."""

import re

from .contexts import around, beside, by_constant, squeezed, value_of
from .rules import ended, ids_in, model_row

SLOT = re.compile(
    r"(?:model\w*\\?[\"']?\s{0,20}(?::|[:=])\s{0,20}\\?[\"']?|--model[ =]|[?&]deployment=)"
    r"(?:openai[/:]|ft:)?$",
    re.I,
)
# a type may stand behind the name: var model string = "…" of Go, param model string = '…' of Bicep
NAMED = re.compile(
    r"model[\w\"'\].]*\s*(?:\??[:=(,\[]|in\b)|model\w*\s+[\w.*]{1,40}\s*=(?!=)", re.I
)
# what stands beside a model's name in a record of what it did
RESULTS = set(
    """usage choices created finishreason score scores accuracy passed failed passrate result results
    latency latencyms elapsed duration cost totaltokens prompttokens completiontokens inputtokens
    outputtokens objectid correct completion response systemfingerprint""".split()
)
# and what nothing but an answer has
OF_ANSWERS = re.compile(r"(?:resp|chatcmpl|cmpl|run)[_-]")  # how the id of one begins
ANSWERED = {"usage", "choices", "finishreason", "systemfingerprint"}


def models_in(code):
    """(start, length, row, sure) of each."""
    strings = {t.start: t for t in code.tokens if t.string}
    for m in ids_in(code.clean):
        which = m.lastindex
        model, at = m[which], m.start(which)
        said = f"openai:{model}" if which == 3 else m[0]  # as Pydantic AI and LangChain name it
        token = strings.get(m.end() - len(said))
        whole = token is not None and (token.value == said or which == 2)
        before = code.clean[max(0, at - 200) : at].rsplit("\n", 1)[-1]
        if SLOT.search(before):
            named = True
        elif whole:
            head = token.group.head.rsplit("\n", 1)[-1]
            named = NAMED.search(f"{before}\n{head}(") is not None or _own_name(before, model)
        elif code.settings:
            named = False
            if len(model) < 3:
                continue
        else:
            continue
        if named or len(model) > 2:  # "o1" alone may be anybody's
            sure = named and not _recorded(at, token, code) and not _begins_with(token)
            yield at, len(model), model_row(model), sure
    for t in code.tokens:
        if not t.string:
            if "ChatModel" in t.value and (model := by_constant(t.value)):
                yield t.start, len(t.value), model_row(model), True
        elif t.whole and t.whole != t.value and t.whole in ended():
            yield t.start, len(t.value), model_row(t.whole), True


def _own_name(before, model):
    """Whether a text is given to a name that is its own: O1 = "o1", "o1": "o1"."""
    given = re.search(r"([A-Za-z]\w*)[\"'`]?\s*(?:=>?|:=?)\s*[\"'`]$", before)
    return given is not None and squeezed(given[1]).endswith(squeezed(model))


def _begins_with(token):
    """Whether it is asked what a name begins with, which a model's successor may do, too:
    model.startswith(("o1", "o3")), strings.HasPrefix(model, "gpt-5").
    """
    return token is not None and any(BEGINS.search(g.head) for g in around(token, 2))


BEGINS = re.compile(r"(?:starts?_?with\??|has_?prefix|begins_?with)\s*$", re.I)


def _recorded(at, token, code):
    """Whether a model is named among results: what was, which changing would make wrong."""
    said = beside(token) if token is not None and token.group.bracket else {}
    if ANSWERED & set(said) or "id" in said and OF_ANSWERS.match(value_of(said["id"], code)):
        return True
    if code.end in (".yaml", ".yml"):
        near = code.clean[max(0, at - 300) : at + 300]
        keys = re.findall(r"^[ \t-]*([A-Za-z_]\w*):", near, re.M)
    elif code.end in (".json", ".jsonl") and token is not None:
        keys = beside(token)
    else:
        return False
    return any(key.replace("_", "").lower() in RESULTS for key in keys)
