"""llama.cpp as a child: it writes, and it cuts texts into tokens. It is started when it is first
needed, and anew when a model is asked for whose adapter it has not loaded (a second).
"""

import contextlib
import json
import secrets
import threading
import urllib.error
import urllib.request

from ....common import this_machine
from ...apart import Broken
from . import weights
from .child import Child

CONTEXT = 4_096  # tokens of a conversation and its answer
LONGEST = 512  # tokens of an answer that sets no limit of its own
MOST_ADAPTERS = 8  # loaded at once
PATIENCE = 120  # seconds


class Writer:
    """One for all requests and jobs of a local API; several threads may use it."""

    def __init__(self):
        self.lock, self.child, self.adapters = threading.Lock(), None, []
        self.using = {}  # {child: how many use it}

    @contextlib.contextmanager
    def use(self, adapter=None):
        """(a child, which adapters it is to use: llama.cpp's `lora`). adapter: a kept.Adapter;
        None: the model as it came. Waits until the child is there; raises Broken.
        """
        with self.lock:
            child = self._ready(str(adapter.path) if adapter else None)
            lora = [{"id": n, "scale": float(adapter is not None and path == str(adapter.path))} for n, path in enumerate(self.adapters)]  # fmt: skip
            self.using[child] = self.using.get(child, 0) + 1
        try:
            yield child, lora
        finally:
            with self.lock:
                self.using[child] -= 1
                self._let_go()

    def _ready(self, path):
        """The child, with an adapter among those that it has loaded."""
        there = self.child and not self.child.ended
        if there and (path is None or path in self.adapters):
            return self.child
        adapters = [*self.adapters, path] if path and path not in self.adapters else self.adapters
        adapters = [one for one in adapters[-MOST_ADAPTERS:] if one == path or _is_there(one)]
        key = secrets.token_hex(16)
        task = {"weights": str(weights.file()), "adapters": adapters, "key": key}
        child = Child("serve")
        child.url = child.ask(task | {"context": CONTEXT, "longest": LONGEST})["url"]
        child.key = key
        self.child, self.adapters = child, adapters
        self._let_go()
        return child

    def _let_go(self):
        """End the children that another has followed and that nobody uses any more."""
        for child in [c for c, users in self.using.items() if not users and c is not self.child]:
            del self.using[child]
            child.end()

    def cut(self, conversation, answers):
        """(tokens of a conversation up to where its answer begins, [tokens of each answer, with
        the one that ends it]). Raises Broken.
        """
        with self.use() as (child, _):
            said = ask(child, "/apply-template", {"messages": conversation})["prompt"]
            tokens = lambda text: ask(child, "/tokenize", {"content": text, "parse_special": True})
            return tokens(said)["tokens"], [
                tokens(f"{text}<|im_end|>")["tokens"] for text in answers
            ]


def _is_there(path):
    try:
        with open(path, "rb"):
            return True
    except OSError:  # the model was deleted
        return False


def ask(child, path, body):
    """What llama.cpp's server answers to a POST, as JSON. Raises Broken."""
    request = urllib.request.Request(
        child.url + path,
        json.dumps(body).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {child.key}"},
    )
    try:
        with this_machine.open_url(request, PATIENCE) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as e:
        raise Broken(f"llama.cpp answered {e.code}: {e.read(2_000).decode('utf-8', 'replace')}") from None  # fmt: skip
    except OSError as e:
        raise Broken(f"llama.cpp did not answer: {e}") from None
