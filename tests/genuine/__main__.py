"""Prints what the files that it is given have of genuine exchanges, and what not."""

import sys
from pathlib import Path

from . import report, score


def main(names):
    paths = map(Path, names)
    for found in (
        one for path in paths for one in (score(path) if path.is_dir() else [report(path)])
    ):
        print(f"{found.file}: {found.unread or f'{found.docs} bodies, {found.unknown} unknown'}")
        for what in ("missing", "extra", "wrong"):
            for path, times in getattr(found, what).most_common():
                print(f"  {what} {path} ({times} times)")
        for law in found.broken:
            print(f"  law broken, {law}")
        for sentence in found.order:
            print(f"  order: {sentence}")
        print(f"  laws held: {', '.join(sorted(found.held)) or 'none'}")


if __name__ == "__main__":
    main(sys.argv[1:])
