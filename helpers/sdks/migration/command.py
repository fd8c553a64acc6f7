"""The command line: what a person reads, and what a program does."""

import argparse
import dataclasses
import json
import sys
from pathlib import Path

from tqdm import tqdm

from .files import ENDS, end_of, listing
from .report import as_json, as_sarif, left_out, told_of
from .search import in_listing


def main(arguments=None):
    """Returns 1 where there is a finding, 0 where there is none, 2 for a path that is not there."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.sdks.migration",
        description="Find Day 9 names in code, and what to write today. Ends with 1 where it finds any.",
    )
    parser.add_argument("paths", nargs="+", metavar="path", help="a folder of code, or a file")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON document")
    form.add_argument("--sarif", action="store_true", help="print SARIF 2.1.0, for code hosts")
    given = parser.parse_args(arguments)
    found, looked_at = [], []
    for path in given.paths:
        try:
            listed = listing(path)
        except FileNotFoundError as e:
            print(e, file=sys.stderr)
            return 2
        here = in_listing(listed, path, _progress)
        looked_at.append((here, path, listed))
        found += here if len(given.paths) == 1 else [_with_folder(f, path) for f in here]
    if given.json:
        json.dump(
            _joined(found, [listed for *_, listed in looked_at]),
            sys.stdout,
            indent=1,
            ensure_ascii=False,
        )
        print()
    elif given.sarif:
        json.dump(as_sarif(found), sys.stdout, indent=1, ensure_ascii=False)
        print()
    else:
        for finding in found:
            print(finding)
    for here, path, listed in looked_at:
        nothing = f"Nothing was read: no file there ends in one of {' '.join(sorted(ENDS))}."
        left = "".join(f"\n{line}" for line in left_out(listed))
        print(
            f"{told_of(here, path, listed)}."
            if any(end_of(f) in ENDS for f in listed.read)
            else nothing + left,
            file=sys.stderr,
        )
    return int(bool(found))


def _progress(files):
    return tqdm(files, unit=" files", delay=1, leave=False, disable=None)  # in a terminal alone


def _with_folder(finding, path):
    folder = Path(path) if Path(path).is_dir() else Path(path).parent
    return dataclasses.replace(finding, file=(folder / finding.file).as_posix())


def _joined(found, listings):
    whole = as_json(found, listings[0])
    for listed in listings[1:]:
        more = as_json([], listed)
        whole["read"] += more["read"]
        whole["made_by_machines"] += more["made_by_machines"]
        for end, n in more["other_types"].items():
            whole["other_types"][end] = whole["other_types"].get(end, 0) + n
    return whole
