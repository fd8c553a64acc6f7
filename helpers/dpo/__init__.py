"""Preference tuning: judging pairs, a job watched live, the power of a test. `dpo` was first the
stand-in's name, and has its names still.
"""

from ..facts.policy import (
    BUCKETS,
    FEATURES,
    LEARNING_RATE,
    LIMITS,
    NAMED,
    UNITS,
    Example,
    Pair,
    Policy,
    Step,
    dpo,
    evaluate,
    features,
    prompt_of,
    read_examples,
    read_pairs,
    resolve,
    supervised,
    text_of,
    train,
)

__all__ = [
    "BUCKETS",
    "FEATURES",
    "LEARNING_RATE",
    "LIMITS",
    "NAMED",
    "UNITS",
    "Example",
    "Pair",
    "Policy",
    "Step",
    "dpo",
    "evaluate",
    "features",
    "prompt_of",
    "read_examples",
    "read_pairs",
    "resolve",
    "supervised",
    "text_of",
    "train",
]
