"""Finds Day 9 names (December 2024) in a folder of code, and says what to write today.

    found = migration.scan(FOLDER)               in a notebook: a list of Findings
    python -m helpers.sdks.migration FOLDER      in a shell: file:line:column: text; --json, --sarif

The names are those of data/day9_names.csv, and the models those of data/models.csv that end; both
name their sources, and so does data/other_makers.csv, whose code has such names by right. Pygments
tells code, strings and comments apart, so a file that does not compile is read like any other, and
nothing of it is run. What is put together while a program runs, it cannot see.

    files.py      which files are read, and which are told of instead
    reading.py    a text as words, strings and brackets
    rules.py      the names, and the words without which a file cannot have them
    speaks.py     whose interface a file says it speaks
    contexts.py   where alone a name is dead
    texts.py      where names stand in a text; models.py where models do
    search.py     names in files, as Findings
    report.py     Findings for a page, for a program, for a code host
    command.py    the command line
"""

from .command import main
from .contexts import CONTEXTS
from .files import ENDS, LARGEST, PROSE, files
from .report import table, told
from .rules import ended, names
from .search import NOT_READ, Finding, scan

__all__ = [
    "CONTEXTS",
    "ENDS",
    "LARGEST",
    "NOT_READ",
    "PROSE",
    "Finding",
    "ended",
    "files",
    "main",
    "names",
    "scan",
    "table",
    "told",
]
