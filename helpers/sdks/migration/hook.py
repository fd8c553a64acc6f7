#!/usr/bin/env python3
"""What pre-commit calls, from a repository of its own, with the names of files (see
.pre-commit-hooks.yaml). Python needs pygments and tqdm.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from helpers.sdks.migration import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
