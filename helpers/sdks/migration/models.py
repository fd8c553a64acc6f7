"""Where models that end stand in a text."""

import re

from .contexts import beside, by_constant
from .rules import ended, ids, model_row

SLOT = re.compile(
    r"(?:model\w*\\?[\"']?\s{0,20}(?::|[:=])\s{0,20}\\?[\"']?|--model[ =])(?:openai[/:]|ft:)?$",
    re.I,
)
NAMED = re.compile(r"model[\w\"'\].]*\s*(?:\??[:=(,\[]|in\b)", re.I)
# what stands beside a model's name in a record of what it did
RESULTS = set(
    """usage choices created finishreason score scores accuracy passed failed passrate result results
    latency latencyms elapsed duration cost totaltokens prompttokens completiontokens inputtokens
    outputtokens objectid correct completion response systemfingerprint""".split()
)


def models_in(code):
    """(start, length, row, sure) of each."""
    strings = {t.start: t for t in code.tokens if t.string}
    for m in ids().finditer(code.clean):
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
            named = NAMED.search(f"{before}\n{head}(") is not None
        elif code.settings:
            named = False
            if len(model) < 3:
                continue
        else:
            continue
        if named or len(model) > 2:  # "o1" alone may be anybody's
            yield at, len(model), model_row(model), named and not _recorded(at, token, code)
    for t in code.tokens:
        if not t.string:
            if "ChatModel" in t.value and (model := by_constant(t.value)):
                yield t.start, len(t.value), model_row(model), True
        elif t.whole and t.whole != t.value and t.whole in ended():
            yield t.start, len(t.value), model_row(t.whole), True


def _recorded(at, token, code):
    """Whether a model is named among results: what was, which changing would make wrong."""
    if code.end in (".yaml", ".yml"):
        around = code.clean[max(0, at - 300) : at + 300]
        keys = re.findall(r"^[ \t-]*([A-Za-z_]\w*):", around, re.M)
    elif code.end in (".json", ".jsonl") and token is not None:
        keys = beside(token)
    else:
        return False
    return any(key.replace("_", "").lower() in RESULTS for key in keys)
