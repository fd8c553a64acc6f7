"""How many tokens a training file is, by a rule that can be read: the price of a job follows from
it.

Each message counts as OpenAI's cookbook counts one of a chat (helpers/facts/tokens.py): 3, its role
and its text in o200k_base. Whether a pair's prompt is billed once or with each of its two answers
is not published, so there are two counts: the lower has it once, which is what "tokens in the
training file" says word for word.
"""

from ...facts import tokens


def trained(rows):
    """(fewest, most) tokens of the lines of a training file, for one epoch. A supervised line has
    one count.
    """
    fewest = most = 0
    for row in rows:
        prompt = _count(row["messages"] if "messages" in row else row["input"]["messages"])
        answers = (
            0
            if "messages" in row
            else _count(row["preferred_output"]) + _count(row["non_preferred_output"])
        )
        fewest += prompt + answers
        most += prompt + answers + (prompt if answers else 0)
    return fewest, most


def _count(messages):
    # nothing primes a reply in training
    return tokens.chat_tokens(messages) - tokens.chat_tokens([])
