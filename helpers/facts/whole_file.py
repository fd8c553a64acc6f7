"""A file that is there with all of its content, or not at all, whatever happens meanwhile."""

import os
import secrets

UNFINISHED = ".part"  # the end of a name while the file is written


def write(file, content):
    """Write bytes to a Path, whose folder is made where it is missing. Whoever reads it sees the old content or the new."""
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f"{file.name}.{secrets.token_hex(4)}{UNFINISHED}")
    try:
        with open(aside, "xb") as f:
            f.write(content)
            f.flush()
            os.fsync(f.fileno())
        os.replace(aside, file)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
