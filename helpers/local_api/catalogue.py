"""The recordings for people: `python -m helpers.local_api.catalogue list | check | show NAME`."""

import argparse
import json
import sys

from ..common import console
from . import recordings, slots


def main(arguments=None, folder=recordings.FOLDER):
    """Run the command line; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.local_api.catalogue",
        description="What the local API answers from.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="name, origin and subject of each recording")
    commands.add_parser(
        "check", help="whether every recording can answer; names the files that cannot"
    )
    commands.add_parser(
        "show", help="one recording: its request, its slots, its answers"
    ).add_argument("name")
    given = parser.parse_args(arguments)
    library = recordings.Library(
        folder, recordings.own_folder() if folder == recordings.FOLDER else None
    )
    if given.command == "list":
        return listed(library)
    return check(library) if given.command == "check" else show(library, given.name)


def listed(library):
    """Print each recording in a line; returns the exit code, as the other two do."""
    rows = [(r.name, r.origin["class"], r.about) for r in library.recordings]
    wide = [max((len(row[column]) for row in rows), default=0) for column in (0, 1)]
    for name, origin, about in rows:
        print(f"{name:{wide[0]}}  {origin:{wide[1]}}  {about}")
    return 0


def broken(library):
    """[(file name, why)] of all that cannot answer, with the templates run on their examples."""
    found = list(library.problems)
    for recording in library.recordings:
        try:
            slots.render(recording.responses if recording.slots else None, recording.slots, {})
        except slots.BadSlot as e:
            found.append((f"{recording.name}.json", str(e)))
    return sorted(found)


def check(library):
    """Print what cannot answer and why; the exit code is 1 where there is any."""
    found = broken(library)
    for file, why in found:
        print(f"{file} {why}")
    print(f"{len(library.recordings) + len(library.problems)} recordings, {len(found)} broken")
    return 1 if found else 0


def show(library, name):
    """Print one recording: request, slots, answers."""
    recording = next((r for r in library.recordings if r.name == name.removesuffix(".json")), None)
    if recording is None:
        print(f"There is no recording {name!r}; `list` names them all.", file=sys.stderr)
        return 1
    print(f"{recording.name}: {recording.about}")
    print("Origin: " + ", ".join(f"{key} {value}" for key, value in recording.origin.items()))
    print(f"\n{recording.method} {recording.path}\n{pretty(recording.sent)}")
    for slot, declared in recording.slots.items():
        print(f"\nSlot {slot}: " + ", ".join(f"{key} {value}" for key, value in declared.items()))
    for i, response in enumerate(recording.responses):
        which = (
            f" {i + 1} of {len(recording.responses)}, {recording.choose}"
            if recording.choose
            else ""
        )
        print(f"\nAnswer{which}: {response['status']}\n{said(response)}")
    return 0


def said(response):
    kind = next(name for name in ("body", "events", "text", "file", "session") if name in response)
    return "\n".join(response["text"]) if kind == "text" else pretty(response[kind])


def pretty(value):
    return "(no body)" if value is None else json.dumps(value, indent=2, ensure_ascii=False)


if __name__ == "__main__":
    console.forgiving()
    sys.exit(main())
