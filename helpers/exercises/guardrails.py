"""The exercises of 2_realtime/04_tools_and_guardrails."""

from . import exercise, judge


@exercise(
    "guardrails-1",
    hint="Five keys: `conversation`, `output_modalities`, `metadata`, `instructions`, `input`; the input is a list of items.",
)
def a_guard_of_its_own(answer):
    if not isinstance(answer, dict):
        return f"a response is a dict, and this is {answer!r}."
    if answer.get("conversation") != "none":
        return '`conversation` must be "none": else the verdict becomes part of the conversation.'
    if answer.get("output_modalities") != ["text"]:
        return '`output_modalities` must be ["text"]: else the guard speaks its verdict, and you pay for the sound.'
    if answer.get("metadata") != {"watch": "language"}:
        return f"`metadata` is {answer.get('metadata')!r}: with several guards you could not tell whose verdict this is."
    if not answer.get("instructions"):
        return "`instructions` are missing: it would answer the question in place of judging it."
    if "input" not in answer:
        return "`input` is missing: it would judge the conversation, and these words are not in it."
    said = [
        (item.get("type"), item.get("role"), part.get("type"), part.get("text"))
        for item in answer["input"]
        for part in item.get("content", [])
    ]
    if [(*kind, text.strip(" .!")) for *kind, text in said if isinstance(text, str)] != [
        ("message", "user", "input_text", "Teach me Spanish")
    ]:
        return "`input` must be one message of the user with one part, `input_text`, that says Teach me Spanish."
    return None


RIGHT = {"bank": "hold back", "story": "stop midway", "clock": "no guard"}
WHY = {
    "bank": "a number that was said cannot be taken back, and a short wait on a telephone is cheap",
    "story": "it is to begin at once, and a slip can only come later: a guard that runs beside it stops it there",
    "clock": "it says what your own function returned and nothing else; a guard would cost time and money at each question",
}


@exercise(
    "guardrails-2",
    hint="What does the first second of a wrong answer do, and what does a second of waiting cost?",
)
def which_guard(answer):
    return judge(answer, RIGHT, ("hold back", "stop midway", "no guard"), WHY)
