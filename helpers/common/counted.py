"""How many of something, in words."""


def counted(n: int, one: str) -> str:
    """`n` with its noun: counted(1, "row") is "1 row", counted(2000, "row") "2,000 rows"."""
    return f"{n:,} {one}{'s' * (n != 1)}"
