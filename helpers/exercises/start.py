"""The exercises of notebooks/00_start_here."""

from ..facts.ground_truth import weekday
from ..facts.models import models
from . import exercise


@exercise("start-1", hint="Ask o1 with the date of its shutdown in place of `day`.")
def weekday_of_the_shutdown(answer):
    right = weekday(models()["o1"]["shutdown"])
    given = str(answer).strip().strip(".").capitalize()
    if len(given.split()) > 1:
        return "give the name of the day alone, such as Monday."
    return (
        None
        if given == right
        else f"{answer} is not the weekday of {models()['o1']['shutdown']}. Did you ask with that date?"
    )


@exercise("start-2", hint="Read the footer of the frame around the answer: who wrote it?")
def what_is_shown(answer):
    given = str(answer).strip().lower()
    if given == "no":
        return None
    if given == "yes":
        return "the answer is constructed, not said by o1: it shows that we can compute weekdays, and what the API's answers look like."
    return 'answer "yes" or "no".'
