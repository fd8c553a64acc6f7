"""The exercises of notebooks/2_realtime/06_lawn_reindeer."""

from . import exercise, judge

HEADERS, LINK, PACKET = 56, 24, 60  # bytes a packet; kbit/s; ms


@exercise(
    "reindeer-1",
    hint="How many packets of 60 ms leave in a second, and how many bits are their headers? What is left of 24 kbit/s?",
)
def the_highest_bit_rate(answer):
    if isinstance(answer, bool) or not isinstance(answer, int) or answer < 1:
        return f"{answer!r} is no whole number of kbit/s."
    headers = 8 * HEADERS / PACKET
    if answer + headers > LINK:
        return f"{answer} kbit/s of voice and {headers:.1f} of headers are {answer + headers:.1f} kbit/s, more than {LINK}."
    return (
        None
        if answer + 1 + headers > LINK
        else f"{answer} kbit/s fits, but {answer + 1} does, too."
    )


CHOICES = ("short packets", "long packets", "wideband", "hang up")
BEST = {
    "spelling": "wideband",
    "satellite": "long packets",
    "game": "short packets",
    "garden": "hang up",
}
WHY = {
    "spelling": "letters such as F and S differ above 4 kHz, which 8 kHz cuts off",
    "satellite": "each packet pays for its headers again, so send fewer of them",
    "game": "a packet is sent when it is full: 60 ms of it are 60 ms of delay",
    "garden": "an open call sends packets all night, whether or not somebody speaks",
}


@exercise(
    "reindeer-2",
    hint="What is it that this device must not lose: letters, bytes, time, or the night?",
)
def what_to_change(answer):
    return judge(answer, BEST, CHOICES, WHY)
