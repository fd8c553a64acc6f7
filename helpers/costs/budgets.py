"""What tuning a model costs, and after how many calls it has paid for itself."""

from math import ceil

from ..facts import tokens


def line_tokens(row):
    """(fewest, most) tokens for which one line of a training file may be billed, for one epoch.

    row: a preference pair or a supervised example, as a dict. OpenAI bills the tokens of the
    training file, times the epochs (its help centre, article 11323177). Whether it counts a pair's
    prompt once, as in the file, or with each of the two answers is not known: those are the two
    bounds. For an example they are the same. The few tokens around each message follow the chat
    rule of `tokens.chat_tokens`, an estimate. Tools are not counted.

    >>> ask = [{"role": "user", "content": "hello world"}]
    >>> line_tokens({"messages": ask + [{"role": "assistant", "content": "hello"}]})
    (11, 11)
    >>> said = [{"role": "assistant", "content": "hello"}]
    >>> line_tokens({"input": {"messages": ask},
    ...              "preferred_output": said, "non_preferred_output": said})
    (16, 22)
    """
    if "messages" in row:
        return (_tokens(row["messages"]),) * 2
    prompt = _tokens(row["input"]["messages"])
    answers = _tokens(row["preferred_output"]) + _tokens(row["non_preferred_output"])
    return prompt + answers, 2 * prompt + answers


def calls_to_pay_back(once, before, after):
    """The number of calls after which `once` is earned back; None if a call saves nothing.

    once: what was paid in advance; before, after: what a call costs without and with it, all in
    USD.

    >>> calls_to_pay_back(10, 0.03, 0.01), calls_to_pay_back(10, 0.01, 0.03)
    (500, None)
    """
    saved = before - after
    return ceil(round(once / saved, 6)) if saved > 0 else None  # a rounding error is no call


def _tokens(messages):
    return tokens.chat_tokens(messages) - 3  # no reply is primed in a training file
