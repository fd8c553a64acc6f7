"""The exercises of notebooks/3_dpo/01_preference_pairs."""

import json

from .. import preference_file
from . import exercise, judge

TICKET = {
    "customer": "How long is a gift card valid?",
    "sent": "Thank you so much for your question about our gift cards! They are a popular present, and we are happy to tell you that they stay valid for 3 years.",
    "better": "3 years.",
}


@exercise(
    "pairs-1",
    hint="input has messages, a list of one user message; both outputs are lists of one assistant message.",
)
def a_pair_from_a_ticket(answer):
    data = json.dumps(answer).encode()
    problems = [p for p in preference_file.read(data, "dpo")[1] if p.code != "invalid_n_examples"]
    if "messages" in answer:
        return "this is a supervised example: it says what to answer, not which of two answers is better."
    if problems:
        problem = problems[0]
        return f"{problem.path}: {problem.message}." if problem.path else f"{problem.message}"
    said = {
        name: answer[name][0]["content"] for name in ("preferred_output", "non_preferred_output")
    }
    if said == {"preferred_output": TICKET["sent"], "non_preferred_output": TICKET["better"]}:
        return "the two answers have changed places: the colleague's is the better one."
    if said != {"preferred_output": TICKET["better"], "non_preferred_output": TICKET["sent"]}:
        return "the answers are not those of the ticket, letter by letter."
    last = answer["input"]["messages"][-1]
    if last["role"] != "user" or last["content"] != TICKET["customer"]:
        return (
            "the last message of the input should be the customer's question, with the role user."
        )
    return None


@exercise(
    "pairs-2",
    hint="What would a model learn from it? If that is what you want: keep. If the judging went wrong: again. If the pair itself is at fault: drop.",
)
def what_to_do_with_a_pair(answer):
    right = {"unit": "keep", "comma": "drop", "left": "again", "wrong": "drop", "apart": "again"}
    why = {
        "unit": "one difference, and it is the one you want: no pair is clearer",
        "comma": "nobody cares about the comma, and the model would learn it all the same",
        "left": "the side was chosen, not the answer; drawn anew, the same pairs can be judged",
        "wrong": "it teaches that a friendly mistake beats the truth; no second look at it makes the temperature right",
        "apart": "two aims are at work; agree on one, write it down, and judge again",
    }
    return judge(answer, right, ("keep", "again", "drop"), why)
