"""What the lessons and the local API both stand on: it reads data/ and computes, and shows nothing.

Two modules keep no fact, and are here since both sides need them: whole_file and loopback.
"""

from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "data"
