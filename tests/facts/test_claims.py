"""data/claims.csv: every claim has its source, and every row that it leans on exists."""

from datetime import date
from decimal import Decimal

import pytest

from tests.facts.test_data import figure, rows

CLAIMS = rows("claims.csv")
KINDS = {"internal eval", "published table", "statement"}
VERDICTS = {"agrees", "disagrees", "proxy only", "not measurable publicly"}
KEYS = [
    tuple(row[c] for c in ("measure", "model", "variant", "commit_or_date"))
    for row in rows("measurements.csv")
]


def test_columns_and_names():
    assert list(CLAIMS[0]) == [
        "name",
        "claim",
        "by",
        "where",
        "date",
        "kind",
        "bears_on",
        "verdict",
        "why",
        "source",
        "checked_on",
    ]
    assert len({row["name"] for row in CLAIMS}) == len(CLAIMS)


@pytest.mark.parametrize("row", CLAIMS, ids=lambda r: r["name"])
def test_a_claim_is_whole(row):
    assert (
        None not in row and None not in row.values() and all(v == v.strip() for v in row.values())
    )
    assert all(row[c] for c in row if c != "bears_on")
    assert row["kind"] in KINDS and row["verdict"] in VERDICTS
    assert (
        date.fromisoformat(row["date"]) == date(2024, 12, 17)
        and date(2026, 11, 22) <= date.fromisoformat(row["checked_on"]) <= date.today()
    )
    assert "$" not in "".join(row.values())


@pytest.mark.parametrize("row", CLAIMS, ids=lambda r: r["name"])
def test_a_claim_leans_on_rows_that_exist_once(row):
    for reference in filter(None, row["bears_on"].split(" ; ")):
        assert KEYS.count(tuple(reference.split("|"))) == 1, reference
    by = {
        r["by"]
        for r in rows("measurements.csv")
        if "|".join(r[c] for c in ("measure", "model", "variant", "commit_or_date"))
        in row["bears_on"].split(" ; ")
    }
    if row["verdict"] == "not measurable publicly":
        assert by <= {"OpenAI"}
    else:
        assert by - {"OpenAI"}, "a verdict needs someone else's measurement"


def test_a_row_of_a_claim_that_says_a_number_has_that_number():
    said = {
        "agents": ("73.5", "54.2"),
        "coding-level": ("76.6", "52.3"),
        "aime": ("79.2", "42.0"),
        "vision": ("77.3", "71.0"),
    }
    for row in CLAIMS:
        for number in said.get(row["name"], ()):
            assert number in row["claim"]
            values = {
                Decimal(r["value"])
                for r in rows("measurements.csv")
                if "|".join(r[c] for c in ("measure", "model", "variant", "commit_or_date"))
                in row["bears_on"]
            }
            assert Decimal(number) in values


def test_the_leaderboards_overall_score_is_the_mean_that_the_notebook_takes_apart():
    kinds = ["simple", "multiple", "parallel", "parallel-multiple"]
    right = {
        "o1-2024-12-17": 203,
        "gpt-4o-2024-11-20": 207,
    }  # of the dataset's 240 cases where no function fits
    for model, k in right.items():
        of = lambda part: figure(f"BFCL {part}", model, "FC", "1045ee21")
        first = (
            sum(of(p) for p in [*kinds, *(f"{kind} exec" for kind in kinds)])
            + Decimal(k) / 240 * 100
        ) / 9
        assert abs((first + of("live") + of("multi-turn")) / 3 - of("overall accuracy")) <= Decimal(
            "0.01"
        )


def test_rates_with_a_known_number_of_cases_are_whole_cases():
    for row in rows("measurements.csv"):
        if row["measure"].startswith("BFCL") and row["sample_size"]:
            cases = Decimal(row["value"]) * int(row["sample_size"]) / 100
            assert cases == cases.to_integral_value(), row
