"""The exercises of notebooks/1_o1/03_vision."""

from .. import tokens
from . import exercise, judge


@exercise(
    "vision-1",
    hint="Both steps at once: the shorter side ends at 768. Then count the tiles that each side begins.",
)
def tokens_of_a_scan(answer):
    right = tokens.image_tokens(2480, 3508, "high", "o1")
    if answer == right:
        return None
    if answer == right - 75:
        return "the 75 tokens that any picture costs are missing."
    if answer == tokens.image_tokens(2480, 3508, "low", "o1"):
        return "that is low detail."
    if answer == 75 + 150 * 5 * 7:
        return "those are the tiles of the whole scan; it is made smaller first."
    return f"{answer} is not it: the shorter side ends at 768 pixels; how many tiles of 512 does each side begin?"


@exercise(
    "vision-2",
    hint="What is large survives a copy of 512 by 512. What you have as numbers needs no picture.",
)
def which_detail(answer):
    right = {"sort": "low", "amounts": "high", "sum": "neither", "stamp": "low"}
    why = {
        "sort": "the kind of a page shows in a small copy, at a ninth of the tokens",
        "amounts": "the small print beside an amount does not survive a copy of 512 by 512",
        "sum": "you have the numbers in a file, and Python adds them exactly",
        "stamp": "what crosses the whole page shows in a small copy",
    }
    return judge(answer, right, ("low", "high", "neither"), why)
