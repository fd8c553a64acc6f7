"""One press of a button trains a model on somebody's own choices, and asks it a question before and
after.
"""

import json
import threading
import time

import ipywidgets
import openai

from .. import connection
from ..common import left_out
from ..common.markup import Template
from ..common.still import Still
from . import tastes
from .tuning_live import live

STAND_IN = "gpt-4o-2024-08-06"
ENDED = ("succeeded", "failed", "cancelled")
EACH = 0.2  # seconds between two looks at the job
TOKENS = 48  # of an answer at most: it is to be compared, not read for long
SAID = Template("""
<div class="mathjax_ignore" style="max-width:46em" role="status">
  {% if trouble %}<p>{{ trouble }}</p>{% endif %}
  {% if tuned %}
  <p>Tuned on {{ tuned.pairs }} pairs: <code>{{ tuned.model }}</code>. {{ tuned.question }}</p>
  <ul><li>before: {{ tuned.before }}</li><li>after: {{ tuned.after }}</li></ul>
  {% endif %}
</div>
""")
STILL = Template("""
<p class="mathjax_ignore">Two buttons, where the notebook runs: one trains the stand-in, the other SmolLM2-135M, on the {{ pairs }} pairs that were chosen.</p>
""")


class Training(Still, ipywidgets.VBox):
    """Two buttons, a job as it goes on, and what the model says to `question` before and after.

    labels: a labelling.Labels, read when a button is pressed, which also connects. question: the
    messages of a request. TypeError for what is none of these.
    """

    def __init__(self, labels, question):
        tastes.need_labels(labels)
        if not isinstance(question, list) or not question:
            raise TypeError("the question is a request's messages: a list with at least one")
        self.labels, self.question = labels, question
        there = left_out.model()
        self.buttons = [
            ipywidgets.Button(
                description="Train the stand-in", tooltip="some seconds", layout={"width": "auto"}
            ),
            ipywidgets.Button(
                description="Train SmolLM2-135M",
                tooltip="some minutes" if there else left_out.NO_MODEL,
                disabled=not there,
                layout={"width": "auto"},
            ),
        ]
        for button, base in zip(self.buttons, (STAND_IN, left_out.LANGUAGE_MODEL)):
            button.on_click(lambda _, base=base: self.start(base))
        self.window, self.said = live(), ipywidgets.HTML()
        lacks = [] if there else [ipywidgets.HTML(left_out.NO_MODEL)]
        super().__init__([ipywidgets.HBox(self.buttons), *lacks, self.said, self.window])

    def start(self, base):
        """Train `base` in a thread of its own, so that other cells can be run meanwhile."""
        enabled = [button for button in self.buttons if not button.disabled]
        for button in enabled:
            button.disabled = True

        def work():
            try:
                connection.connect()
                self._train(openai.OpenAI(), base)
            except (openai.OpenAIError, OSError, RuntimeError) as e:
                self._say(e.body["message"] if isinstance(e, openai.APIStatusError) else str(e))
            finally:
                for button in enabled:
                    button.disabled = False

        self.thread = threading.Thread(target=work, daemon=True)
        self.thread.start()

    def _train(self, client, base):
        rows = self.labels.rows()
        self._say("")
        text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        file = client.files.create(file=("my_pairs.jsonl", text.encode()), purpose="fine-tune")
        job = client.fine_tuning.jobs.create(
            model=base, training_file=file.id, method={"type": "dpo"}
        )
        while job.status not in ENDED:
            time.sleep(EACH)
            job = client.fine_tuning.jobs.retrieve(job.id)
            events = client.fine_tuning.jobs.list_events(job.id, limit=100)
            self.window.show(job, [e.data for e in events if e.type == "metrics"][::-1])
        if job.status != "succeeded":
            self._say(f"The job {job.status}: {job.error and job.error.message}")
            return
        self._say(
            "",
            model=job.fine_tuned_model,
            pairs=len(rows),
            question=self.question[-1]["content"],
            before=self._answer(client, base),
            after=self._answer(client, job.fine_tuned_model),
        )

    def _say(self, trouble, **tuned):
        self.said.value = SAID.render(trouble=trouble, tuned=tuned)

    def _answer(self, client, model):
        answer = client.chat.completions.create(
            model=model, messages=self.question, temperature=0, max_completion_tokens=TOKENS
        )
        return answer.choices[0].message.content

    def still(self):
        return STILL.render(pairs=len(self.labels.rows()))

    def __repr__(self):
        return f"A widget to train a model on {len(self.labels.rows())} pairs: run this cell, then press a button."
