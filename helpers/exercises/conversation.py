"""The exercises of 2_realtime/01_a_spoken_conversation."""

from .. import voice_costs
from . import exercise, judge


@exercise(
    "conversation-1",
    hint="10 tokens for a second of you, 20 for a second of it; and what it hears in the second turn begins with everything from the first.",
)
def heard_in_the_second_turn(answer):
    right = voice_costs.usages([(3, 4), (2, 1)])[1]["input_token_details"]["audio_tokens"]
    if answer == right:
        return None
    if answer == 20:
        return "20 is what the second turn adds; the whole conversation is its input."
    return f"{answer} is not what the second response hears: your 3 s, its 4 s, and your 2 s."


WHY = {
    "forget the first turns": "an hour's history is billed again with each turn; deleting what is no longer needed cuts just that",
    "answer in text": "half of a turn's price is the sound that it speaks; a text is a fraction of it",
    "a shorter silence window": "the window changes when it answers, and adds at most some tokens of silence",
}
RIGHT = {
    "forget the first turns": "cheaper",
    "answer in text": "cheaper",
    "a shorter silence window": "no difference",
}


@exercise(
    "conversation-2",
    hint="Look at the columns `heard` and `spoken` of the usage table: which of them does each change make smaller?",
)
def what_makes_it_cheaper(answer):
    return judge(answer, RIGHT, ("cheaper", "dearer", "no difference"), WHY)
