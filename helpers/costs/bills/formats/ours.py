"""The receipt that ends our notebooks."""

from .records import whole


def is_receipt(record):
    return {"model", "calls", "input", "cached", "output"} <= set(record)


def receipt(r, notes):
    """A row of helpers.receipt()."""
    training = str(r.get("model")).endswith(", training")
    yield {
        "trouble": "not sold by this kind of token" if training else None,
        "when": r.get("on"),
        "model": r.get("model"),
        "requests": r.get("calls"),
        "input": r.get("input"),
        "cached": r.get("cached"),
        "output": r.get("output"),
        "reasoning": r.get("hidden"),
        "stated": r.get("usd"),
        "id": whole(r),
    }
