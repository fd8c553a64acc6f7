"""What may cure an error, where no edit of a notebook can show it."""

import errno
import sys

import pytest

from helpers.errors import hints


def test_what_asks_for_the_address_before_connect_is_told_to_connect():
    assert "helpers.connect() first" in hints.hint(None, KeyError("OPENAI_BASE_URL"), [])


@pytest.mark.parametrize("encoding, told", [("ascii", "PYTHONUTF8=1"), ("utf-8", "")])
def test_a_name_that_this_locale_cannot_write_says_what_to_set(monkeypatch, encoding, told):
    monkeypatch.setattr(sys, "getfilesystemencoding", lambda: encoding)
    error = UnicodeEncodeError("ascii", "22 °F.csv", 3, 4, "ordinal not in range(128)")
    said = hints.hint(None, error, [])
    assert told in said and bool(said) == bool(told)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_where_there_is_no_room_it_is_said_what_gives_some(number):
    assert "os.remove" in hints.hint(None, OSError(number, "no room"), [])
    assert "Kernel, Restart" in hints.hint(None, MemoryError(), [])
    assert hints.hint(None, OSError(errno.EIO, "broken"), []) == ""
