"""Multipart forms, as uploads are sent: read a piece at a time, so that other threads have their
turn, and without more copies of a file than the one that is kept.

tornado reads the form, in which a number stands in the place of each content.
"""

from tornado import httputil

from .checks import Bad

PIECE = 1 << 20  # bytes that are searched or copied in a millisecond
MOST_PARTS = 100  # of a form, as tornado has it
LONGEST_HEAD = 10 * 1024  # bytes of a part's headers that are read


def parsed(content_type, raw):
    """({field: [bytes]}, {file field: [(filename, bytes)]}) of a multipart form; a long content is
    a bytearray. Raises Bad.
    """
    fields, files, contents = {}, {}, []
    try:
        short = _in_short(_boundary(content_type), raw, contents)
        httputil.parse_body_arguments(content_type, short, fields, files)
    except httputil.HTTPInputError as e:
        raise Bad(
            f"The body of your request is not a readable multipart form: {e}.", None
        ) from None
    if not fields and not files:
        raise Bad(
            "The body of your request is not a multipart form with the boundary that its Content-Type names.",
            None,
        )
    of = lambda number: contents[int(number)]
    return (
        {name: [of(value) for value in values] for name, values in fields.items()},
        {name: [(p["filename"], of(p["body"])) for p in parts] for name, parts in files.items()},
    )


def _boundary(content_type):
    """The boundary that a Content-Type names, or None; quoted or not, as tornado reads it."""
    for field in content_type.split(";"):
        name, _, value = field.strip().partition("=")
        if name == "boundary" and value:
            quoted = len(value) > 1 and value[0] == value[-1] == '"'
            return (value[1:-1] if quoted else value).encode()
    return None


def _in_short(boundary, raw, contents):
    """The form with each part's content in `contents`, and its number there in its place."""
    mark = b"--%s" % boundary if boundary else b""
    end = _find(raw, mark + b"--", last=True) if boundary else -1
    if end < 0:
        return b""  # tornado says what is missing
    begin, made = 0, []
    while begin <= end and len(made) <= MOST_PARTS + 1:
        stop = _find(raw, mark + b"\r\n", begin, end)
        stop = end if stop < 0 else stop
        made.append(_part_in_short(raw, begin, stop, contents))
        begin = stop + len(mark) + 2
    return (mark + b"\r\n").join(made) + mark + b"--"


def _part_in_short(raw, begin, stop, contents):
    head = raw.find(b"\r\n\r\n", begin, min(stop, begin + LONGEST_HEAD + 4)) + 4
    if head < 4:
        return bytes(raw[begin : min(stop, begin + LONGEST_HEAD + 1)])
    number, ending = b"%d" % len(contents), bytes(raw[max(begin, stop - 2) : stop])
    contents.append(_copied(raw, head, stop - 2))
    return bytes(raw[begin:head]) + number + ending


def _find(raw, what, begin=0, end=None, last=False):
    """Where `what` stands first, or last, between two places; -1 where it does not."""
    end = len(raw) if end is None else end
    for at in range(begin, end, PIECE):
        if last:
            at = end - (at - begin)
            found = raw.rfind(what, max(begin, at - PIECE - len(what)), at)
        else:
            found = raw.find(what, at, min(end, at + PIECE + len(what)))
        if found >= 0:
            return found
    return -1


def _copied(raw, begin, end):
    if end - begin <= PIECE:
        return bytes(raw[begin:end])
    copied, view = bytearray(), memoryview(raw)
    for at in range(begin, end, PIECE):
        copied += view[at : min(end, at + PIECE)]
    return copied
