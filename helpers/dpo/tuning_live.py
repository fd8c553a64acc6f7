"""live(): a tuning job as it goes on, a progress bar and its curves, drawn anew at each poll."""

import time

from ..common.markup import Template
from ..common.sketch import beside, curves
from ..common.still import Still

STILL = Template("""
<div class="mathjax_ignore" style="max-width:46em">
  <p><progress aria-label="steps of the training" max="{{ most }}" value="{{ done }}" style="width:30em;max-width:100%"></progress> {{ said }}</p>
  {{ curves | safe }}
  <p>Where the notebook runs, the bar fills step by step, and loss, pairs won and margin grow as curves below it.</p>
</div>
""")


def live():
    """A widget with a method `show(job, metrics)`, to be called at each poll of a job.

    `job`: as the API has it; where it says when it will be done (estimated_finish), so does the
    widget. `metrics`: the data of the job's events of type metrics, oldest first, as the local API
    has them: dicts with step, total_steps, train_loss and, for DPO, train_reward_accuracy,
    train_reward_margin, each with its valid_ twin where there is a validation file.
    """
    import ipywidgets

    class Live(Still, ipywidgets.VBox):
        def __init__(self):
            self.bar, self.curves = (
                ipywidgets.IntProgress(max=1, layout={"width": "30em", "max_width": "100%"}),
                ipywidgets.HTML(),
            )
            self.said = ipywidgets.Label()
            state = ipywidgets.HBox([self.bar, self.said], layout={"flex_flow": "row wrap"})
            super().__init__([state, self.curves])

        def still(self):
            return STILL.render(
                most=self.bar.max,
                done=self.bar.value,
                said=self.said.value,
                curves=self.curves.value,
            )

        def __repr__(self):  # what a page without a running kernel shows
            return "A progress bar and curves: run this cell to see them move."

        def show(self, job, metrics):
            said = [job.status]
            if metrics:
                self.bar.max, self.bar.value = metrics[-1]["total_steps"], metrics[-1]["step"]
                said.append(f"step {self.bar.value} of {self.bar.max}")
            if job.estimated_finish:
                said.append(_left(job.estimated_finish - time.time()))
            self.said.value = ", ".join(said)
            if metrics:
                self.curves.value = beside(*_drawn(metrics))._repr_html_()

    return Live()


def _left(seconds):
    """How long it will go on, in words that do not promise the second."""
    if seconds < 90:
        return f"some {max(10, round(seconds, -1)):.0f} s left"
    return f"some {seconds / 60:.0f} min left"


def _drawn(metrics):
    for name, title, unit in (
        ("loss", "Loss", "nats"),
        ("reward_accuracy", "Pairs won", "share"),
        ("reward_margin", "Margin", "nats"),
    ):
        lines = {
            word: [m[f"{kind}_{name}"] for m in metrics]
            for kind, word in (("train", "training"), ("valid", "validation"))
            if f"{kind}_{name}" in metrics[0]
        }
        if lines:
            yield curves(
                lines, title=title, x="step", y=unit, span=(0, 1) if unit == "share" else None
            )
