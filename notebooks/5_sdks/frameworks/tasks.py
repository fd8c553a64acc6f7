"""What the programs beside this file share: the models, a function, a form of answer, and how they
are run.

    echo '["chat", "stream", "Which day of the week was 2024-12-17?"]' | python with_langchain.py

Each line of its input is a task as JSON: an API, the task's name, its words. For each it prints a
line of JSON. Address and key come from OPENAI_BASE_URL and OPENAI_API_KEY.
"""

import json
import sys

from pydantic import BaseModel

from helpers import tax

MODELS = {"chat": "o1", "responses": "gpt-5.6-sol"}
STREAMS = {"chat": "gpt-4o", "responses": "gpt-5.6-sol"}  # o1 did not stream at its launch


def tax_table(year: int, filing_status: str, taxable_income: int) -> int:
    """Federal income tax in dollars, from the IRS Tax Table of that year."""
    return tax.tax(year, tax.status(filing_status), taxable_income)


class Correction(BaseModel):
    reason: str
    location: str
    old_value: int
    new_value: int


class FormCorrections(BaseModel):
    corrections: list[Correction]


def run(**tasks):
    """Does what the lines of the input ask for, one after the other."""
    for line in sys.stdin:
        api, task, *words = json.loads(line)
        try:
            said = {"said": tasks[task](api, *words)}
        except Exception as error:
            said = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(said), flush=True)
