import sys

from ...common import console
from .command import main

if __name__ == "__main__":
    console.forgiving()
    sys.exit(main())
