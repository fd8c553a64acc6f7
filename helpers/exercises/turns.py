"""The exercises of notebooks/2_realtime/03_turns_and_interruptions."""

from .. import turn_taking
from . import exercise, judge

ENOUGH = range(100, 1_600, 50)


@exercise(
    "turns-1",
    hint="Try the values 100, 150, 200 ... in turn_taking.found(hesitant, silence_ms=...), and count the turns.",
)
def the_shortest_patience(answer):
    slow = turn_taking.hesitant()
    if not isinstance(answer, int) or answer not in ENOUGH:
        return f"{answer!r} is no multiple of 50 from 100 to 1550."
    turns = len(turn_taking.found(slow, silence_ms=answer))
    if turns > 1:
        return f"with {answer} ms the speaker is cut off: {turns} turns."
    shortest = next(ms for ms in ENOUGH if len(turn_taking.found(slow, silence_ms=ms)) == 1)
    return None if answer == shortest else f"{answer} ms is enough, but a shorter silence is, too."


BEST = {
    "quiz": "short silence",
    "memories": "long silence",
    "building site": "button",
    "safety notice": "no interruption",
}
WHY = {
    "quiz": "answers are short and the room is quiet: waiting longer gains nothing",
    "memories": "who remembers pauses; being cut off is worse than waiting",
    "building site": "other people's voices are speech to any detector; only a button knows who means it",
    "safety notice": "it must be heard to its end, whatever is said meanwhile",
}


@exercise(
    "turns-2",
    hint="What is the costly mistake here: waiting, cutting off, taking the wrong voice, or falling silent?",
)
def which_rule(answer):
    return judge(answer, BEST, ("short silence", "long silence", "button", "no interruption"), WHY)
