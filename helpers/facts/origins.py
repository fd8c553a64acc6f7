"""Where an answer comes from. What a frame, a recording and connect() say of it stands here,
once.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Origin:
    """How one class of origin looks and reads.

    edge: the colour of the frame. frame: what follows its name there; {source} is the answer's own.
    kept: what connect() says of recordings of that class; empty, a recording cannot be of it.
    """

    edge: str
    frame: str
    kept: str = ""


# In the order in which connect() names them.
ORIGINS = {
    "recorded": Origin("#009E73", ", captured from the API", "captured from the API"),
    "published": Origin("#0072B2", ", source: {source}", "quoted from a public source"),
    "constructed": Origin(
        "#E69F00",
        ", not said by a model",
        "constructed by us to the documented format (no model said them)",
    ),
    "computed": Origin("#56B4E9", " here: {source}"),
    "written": Origin("#CC79A7", " by {source}"),
    "live": Origin("#D55E00", ", from {source}"),
}
UNKNOWN = Origin("#888888", "origin unknown: not answered by this notebook's local API")
