"""Tables as this collection shows them: words to the left, numbers to the right with separators
and as many decimals as they need, lines broken between words, and headers that a screen reader
tells with each cell. `helpers` gives every pandas table of a notebook this face; the text face is
pandas' own.
"""

from __future__ import annotations

import datetime
import numbers
import re
from typing import TYPE_CHECKING, Any

from .markup import Template

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd


LONGEST = 400  # characters of a cell
DAY = re.compile(r"(\d{4}-\d\d-\d\d)")  # breaks at none of its hyphens
YEARS = range(1900, 2101)  # a column of these has no separators
NUMBER = re.compile(r"[+\-−±]?[\d,]*\.?\d+(e[+-]?\d+)?( ?%)?|NaN|None|<NA>|")
TABLE = Template("""
{% macro cell(tag, value, i, scope) %}
  {% set short = " " not in value and value|length < 20 %}
  <{{ tag }}{% if scope %} scope="{{ scope }}"{% endif %} style="text-align:{{ "right" if i in right else "left" }}{% if short %};white-space:nowrap{% endif %}">{% if short %}{{ value }}{% else %}{% for part in parts(value) %}{% if loop.index0 % 2 %}<span style="white-space:nowrap">{{ part }}</span>{% else %}{{ part }}{% endif %}{% endfor %}{% endif %}</{{ tag }}>
{% endmacro %}
<table class="dataframe mathjax_ignore" style="table-layout:auto">
  {% if head %}
  <thead>
    {% for line in head %}
    <tr>{% for value in line %}{{ cell("th", value, loop.index0, "col") if value else cell("td", "", loop.index0, "") }}{% endfor %}</tr>
    {% endfor %}
  </thead>
  {% endif %}
  <tbody>
    {% for row in rows %}
    <tr>
      {% for value in row %}
      {% if loop.index0 < named %}{{ cell("th", value, loop.index0, "row") }}{% else %}{{ cell("td", value, loop.index0, "") }}{% endif %}
      {% endfor %}
    </tr>
    {% endfor %}
  </tbody>
</table>
{% if note %}<p>{{ note }}</p>{% endif %}
""")


def table(
    head: Sequence[str],
    columns: Sequence[Sequence[Any]],
    *,
    named: int = 0,
    note: str = "",
) -> str:
    """HTML of a table. `head`: the titles of its columns; `columns`: their values, one sequence
    each, all of one length; the first `named` columns name the rows. `note`: a line beneath.
    """
    return _drawn([list(head)] if any(head) else [], columns, named, note)


def frame(data: pd.DataFrame | pd.Series) -> str:
    """HTML of a pandas DataFrame or Series, of which as many rows and columns are shown as pandas'
    own options say. An index that only counts, 0, 1, 2 and so on, is left out.
    """
    import pandas as pd

    data = data.to_frame("" if data.name is None else data.name) if data.ndim == 1 else data
    rows, width = data.shape
    data = _middle_out(data, "display.max_rows", "display.min_rows", 0)
    data = _middle_out(data, "display.max_columns", "display.max_columns", 1)
    index = data.index
    counts = isinstance(index, pd.RangeIndex) and index.equals(pd.RangeIndex(rows))
    counts = counts and index.name is None
    index = [] if counts else [data.index.get_level_values(i) for i in range(data.index.nlevels)]
    names = [*data.index.names] if index else []
    levels = data.columns.nlevels
    if names and not any(name is not None for name in names) and levels == 1:
        names[0] = data.columns.name
    head = []
    for level in range(levels):
        corner = names if level == levels - 1 else [""] * len(names)
        titles = data.columns.get_level_values(level)
        head.append(["" if t is None else str(t) for t in [*corner, *titles]])
    columns = [list(level) for level in index]
    columns += [list(data.iloc[:, i]) for i in range(data.shape[1])]
    shorter = data.shape != (rows, width)
    note = f"{rows:,} rows and {width:,} columns, of which some are shown." if shorter else ""
    return _drawn(head if any(map(any, head)) else [], columns, len(index), note)


def _middle_out(data, limit, kept, axis):
    """`data` without its middle, where it is longer than pandas' option `limit` says."""
    import pandas as pd

    most = pd.get_option(limit)
    if not most or data.shape[axis] <= most:
        return data
    half = max((pd.get_option(kept) or most) // 2, 1)
    ends = [*range(half), *range(data.shape[axis] - half, data.shape[axis])]
    return data.take(ends, axis=axis)


def _drawn(head, columns, named, note):
    told = [_told(list(column)) for column in columns]
    right = [i for i, texts in enumerate(told) if all(map(NUMBER.fullmatch, texts)) and any(texts)]
    rows = list(zip(*told))
    return TABLE.render(head=head, rows=rows, named=named, right=right, note=note, parts=DAY.split)


def _told(values):
    """The values of a column as texts that agree in decimals and separators."""
    counted = [v for v in values if _is_number(v)]
    separated = "" if all(v in YEARS for v in counted) else ","
    floats = [v for v in counted if isinstance(v, float)]
    decimals = _decimals(floats)
    dates = [v for v in values if isinstance(v, datetime.datetime) and v == v]
    only_days = all(v == v.replace(hour=0, minute=0, second=0, microsecond=0) for v in dates)

    def text(value):
        if isinstance(value, float) and value != value:
            return "NaN"  # as pandas writes it
        if _is_number(value):
            if not isinstance(value, float):
                return format(value, separated)
            return f"{value:{separated}.{decimals}f}" if decimals is not None else f"{value:.3g}"
        if isinstance(value, datetime.datetime) and only_days and value == value:
            return value.date().isoformat()
        said = str(value)
        return said if len(said) <= LONGEST else f"{said[:LONGEST]}…"

    return [text(value) for value in values]


def _is_number(value):
    return isinstance(value, numbers.Number) and not isinstance(value, bool) and value == value


def _decimals(floats):
    """The fewest decimals that tell these numbers as exactly as pandas does; None where they are so
    small that they need an exponent.
    """
    import pandas as pd

    most = pd.get_option("display.precision")
    if any(v and abs(v) < 10**-most for v in floats):
        return None
    for decimals in range(most):
        if all(abs(v - round(v, decimals)) <= 10 ** -(most + 1) for v in floats if abs(v) < 1e15):
            return decimals
    return most
