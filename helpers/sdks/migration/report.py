"""Findings for a page, for a program, and for a code host."""

from pathlib import Path

from ...common.counted import counted
from .files import listing
from .search import IN_PART, NOT_READ


def told(found, path):
    """How many names stand in how many files, what could not be read, and which types of files are
    not, as a sentence. `found`: what `scan(path)` gave.
    """
    return told_of(found, path, listing(path))


def told_of(found, path, listed):
    """The same for what `listing(path)` gave."""
    unread = [f for f in found if f.kind == NOT_READ]
    named = [f for f in found if f.kind not in (NOT_READ, IN_PART)]
    read = len(listed.read) - len({f.file for f in unread if not Path(path, f.file).is_dir()})
    said = f"{counted(len(named), 'name')} in {len({f.file for f in named})} of {read} files read"
    said += "".join(f"\n{f.file}: {f.what}" for f in unread)
    return said + "".join(f"\n{line}" for line in left_out(listed))


def left_out(listed):
    """What of a Listing was not looked at, a line each."""
    if listed.other:
        most = sorted(listed.other.items(), key=lambda one: (-one[1], one[0]))
        some = ", ".join(f"{end} {n}" for end, n in most[:12])
        more = f" and {counted(len(most) - 12, 'type')} more" if len(most) > 12 else ""
        yield f"not read, {counted(sum(listed.other.values()), 'file')} of other types: {some}{more}"
    if listed.made:
        yield f"not read, {counted(len(listed.made), 'file')} that machines wrote: minified, lock files"


def table(findings):
    """Findings as a DataFrame for a page: where, old name, the day it ended or will, today's
    name.
    """
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "where": f"{f.file}:{f.line}",
                "old": f.name,
                "ends": f.since or "–",
                "today": f.instead or (f.what if f.kind in (NOT_READ, IN_PART) else "–"),
            }
            for f in findings
        ],
        columns=["where", "old", "ends", "today"],
    )


def as_json(found, listed):
    """Everything as one dictionary, for programs."""
    return {
        "findings": [vars(f) for f in found],
        "read": len(listed.read),
        "other_types": listed.other,
        "made_by_machines": len(listed.made),
    }


def as_sarif(found):
    """The same as SARIF 2.1.0 (OASIS), which code hosts show beside the line. A name that is
    perhaps another's is a note; a notebook's lines are those of a cell, so its place is the file.
    """
    rules, results = {}, []
    for f in found:
        rule = f"{f.kind}/{f.name}"
        rules.setdefault(rule, {"id": rule, "shortDescription": {"text": f.what}})
        file, _, cell = f.file.partition(" cell ")
        place = {"artifactLocation": {"uri": file}}
        if not cell:
            place["region"] = {"startLine": f.line, "startColumn": f.column}
        where = f" (cell {cell}, line {f.line})" if cell else ""
        results.append(
            {
                "ruleId": rule,
                "level": "warning" if f.sure else "note",
                "message": {"text": f"{'' if f.sure else 'perhaps '}{f.what}{where}"},
                "locations": [{"physicalLocation": place}],
            }
        )
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "day9-names", "rules": list(rules.values())}},
                "results": results,
            }
        ],
    }
