"""Turns in a whole sound: the local API's own detector and rules without a session, drawn; noise to
try them on.
"""

import functools
from typing import NamedTuple

import numpy as np

from ..common.markup import Template
from ..common.shown import COLOURS, Shown
from ..common.whole import whole
from ..facts import sounds, turns

WINDOW_MS = 32  # that the detector judges at once
LOUD = 35  # dB below the loudest window: what is softer is a pause
SILENT = 30  # dB over a sample of 1, about what the server takes for silence at once
WIDE, LEFT = 720, 40  # pixels of the drawing, and of its margin


class Turn(NamedTuple):
    """A turn as the server's events have it, in ms since the sound began; `end_ms` is None while it
    goes on.
    """

    start_ms: int
    end_ms: int | None


@functools.lru_cache(32)
def probabilities(pcm):
    """How sure the detector is of speech, 0 to 1, in each window of 32 ms of a sound (PCM16, 24
    kHz).
    """
    return tuple(probability for _, probability in turns.Detector(0).windows(pcm))


def found(pcm, threshold=0.5, silence_ms=500, prefix_padding_ms=300, judged=None):
    """The turns of a sound, as a list of Turn: what a new session that hears it would send as
    `audio_start_ms` and `audio_end_ms`. The arguments are those of `turn_detection`; ValueError
    where one is out of its range. `judged`: another detector's probabilities, one a window, in
    place of the server's.
    """
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold is a probability from 0 to 1, not {threshold!r}")
    silence_ms = whole(silence_ms, "silence_ms")
    prefix_padding_ms = whole(prefix_padding_ms, "prefix_padding_ms")
    samples = lambda ms: ms * sounds.RATE // 1000
    ms = lambda position: position * 1000 // sounds.RATE
    follow, all_of_them, before = turns.Turns(), [], 0
    for n, probability in enumerate(probabilities(pcm) if judged is None else judged, 1):
        position = n * turns.WINDOW
        what = follow.step(position, probability, threshold, samples(silence_ms))
        if what == "started":
            begun = position - turns.IN_A_ROW * turns.WINDOW - samples(prefix_padding_ms)
            # a turn holds no sound of the one before
            all_of_them.append(Turn(ms(max(before, begun)), None))
        elif what == "stopped":
            all_of_them[-1] = all_of_them[-1]._replace(end_ms=ms(position))
            before = position
    return all_of_them


def by_rules(pcm, rules):
    """found(), with the numbers of a `turn_detection` of type server_vad, a dict."""
    return found(
        pcm,
        rules.get("threshold", 0.5),
        rules.get("silence_duration_ms", 500),
        rules.get("prefix_padding_ms", 300),
    )


def words(pcm):
    """What is said in a sound, as far as it is of the clips: turn by turn, by the ear of the local
    API.
    """
    from ..facts import hearing

    whole = hearing.heard(pcm)
    if whole and all(h.whole for h in whole):
        return " ".join(h.transcript for h in whole)
    spans = [(turn.start_ms, turn.end_ms or sounds.ms(pcm)) for turn in found(pcm, silence_ms=300)]
    parts = [pcm[a * sounds.BYTES_A_MS : b * sounds.BYTES_A_MS] for a, b in spans]
    said = [" ".join(h.transcript for h in hearing.heard(part)) or "…" for part in parts]
    return " … ".join(said) or "(nobody speaks)"


def with_pauses(pcm, pauses):
    """A sound with silence put into it. `pauses`: {where in ms of the sound: how long in ms};
    ValueError for a place outside of it.
    """
    for at, length in pauses.items():
        if not 0 <= at <= sounds.ms(pcm) or length < 0:
            raise ValueError(
                f"a pause of {length} ms at {at} ms does not fit into a sound of {sounds.ms(pcm)} ms"
            )
    parts, last = [], 0
    for at, length in sorted(pauses.items()):
        cut = at * sounds.BYTES_A_MS
        parts += [pcm[last:cut], sounds.silence(length)]
        last = cut
    return b"".join([*parts, pcm[last:]])


def hesitant():
    """The reindeer's visitor, thinking aloud: 350 ms more after the greeting, 650 ms within the
    question, then silence.
    """
    return with_pauses(sounds.clip("user-reindeer"), {1_470: 350, 2_560: 650}) + sounds.silence(
        1_500
    )


def speaks(pcm):
    """For each window of a clean sound whether it is speech, as an array of bool: by its level
    alone.
    """
    sound = np.frombuffer(pcm, "<i2").astype(float)
    level = 10 * np.log10((_windows(sound) ** 2).mean(1) + 1)
    return level > max(level.max(initial=0) - LOUD, SILENT)


def last_word_ms(pcm):
    """Where the last speech of a clean sound ends, in ms; 0 where there is none."""
    return int(max(np.flatnonzero(speaks(pcm)), default=-1) + 1) * WINDOW_MS


def noisy(pcm, kind, decibels=10, seed=1):
    """A sound with noise so many decibels below its speech. `kind`: "white", or "music", chords of
    decaying tones drawn by chance. The same seed gives the same noise. LookupError for another
    kind, ValueError for a sound without speech.
    """
    if kind not in NOISES:
        raise LookupError(f"there is no noise {kind!r}; there are {' and '.join(NOISES)}")
    if not speaks(pcm).any():
        raise ValueError("there is no speech in this sound that noise could be below of")
    sound = np.frombuffer(pcm, "<i2").astype(float)
    noise = NOISES[kind](len(sound), np.random.default_rng(seed))
    speech = np.sqrt((_windows(sound)[speaks(pcm)] ** 2).mean())
    noise *= speech * 10 ** (-decibels / 20) / np.sqrt((noise**2).mean())
    return np.clip(sound + noise, -32768, 32767).astype("<i2").tobytes()


def _white(samples, chance):
    return chance.normal(0, 1, samples)


def _music(samples, chance):
    beat = sounds.RATE // 2  # two chords a second
    time = np.arange(beat) / sounds.RATE
    made = [
        sum(
            np.sin(2 * np.pi * 220 * 2 ** (note / 12) * overtone * time) / overtone
            for note in root + np.array([0, 4, 7])
            for overtone in (1, 2, 3)
        )
        * np.exp(-3 * time)
        for root in chance.integers(-5, 8, samples // beat + 1)
    ]
    return np.concatenate(made)[:samples]


NOISES = {"white": _white, "music": _music}


def _windows(sound):
    """An array of samples as whole windows, one a row."""
    return sound[: len(sound) // turns.WINDOW * turns.WINDOW].reshape(-1, turns.WINDOW)


DRAWN = Template("""
{% macro at(number) %}{{ "%.1f" | format(number) }}{% endmacro %}
{% macro text(x, y, words, anchor="start") %}
  <text x="{{ at(x) }}" y="{{ at(y) }}" text-anchor="{{ anchor }}" fill="currentColor" font-size="12">{{ words }}</text>
{% endmacro %}
<div class="mathjax_ignore">
  <svg role="img" aria-label="{{ said }}" viewBox="0 0 {{ wide }} 246" style="width:100%;max-width:{{ wide }}px">
    <g transform="translate(0 70)"><path d="{{ outline }}" fill="currentColor" opacity=".55"/></g>
    {% for box in boxes %}
      <rect x="{{ at(box.left) }}" y="22" width="{{ at(box.right - box.left) }}" height="96" fill="{{ colours[4] }}" fill-opacity=".22" stroke="{{ colours[0] }}"/>
      {{ text(box.left + 4, 36, "turn %d" % loop.index) }}
      {% if box.ended %}
        <path d="M{{ at(box.right) }} 14V222" stroke="{{ colours[5] }}" stroke-width="2.5" stroke-dasharray="6 3"/>
        <path d="M{{ at(box.right - 6) }} 6h12l-6 10z" fill="{{ colours[5] }}"/>
      {% endif %}
    {% endfor %}
    <polyline points="{{ line }}" fill="none" stroke="{{ colours[0] }}" stroke-width="2"/>
    <path d="M{{ left }} {{ at(threshold) }}H{{ wide - 10 }}" stroke="{{ colours[1] }}" stroke-width="2" stroke-dasharray="2 3"/>
    {% for y, words in marks %}{{ text(left - 6, y, words, "end") }}{% endfor %}
    {% for x, second in seconds %}{{ text(x, 240, "%d s" % second, "middle") }}{% endfor %}
  </svg>
  <div>{{ said }}</div>
  <div style="font-size:85%">Above: the sound, its turns in boxes, and an arrow where an answer begins. Below: how sure the detector is of speech, and the threshold, dotted.</div>
</div>
""")


def drawn(pcm, threshold=0.5, silence_ms=500):
    """A sound, the detector's probability, the turns found, and the moments at which an answer
    begins.

    Returns a Shown: SVG in a notebook, a sentence elsewhere. Quick: the detector has heard the
    sound once, and only the rules of turns run again.
    """
    length = sounds.ms(pcm)
    across = lambda ms: LEFT + (WIDE - LEFT - 10) * ms / max(length, 1)
    sure = lambda probability: 215 - 75 * probability
    spoken = found(pcm, threshold, silence_ms)
    boxes = [
        {
            "left": across(start),
            "right": across(length if end is None else end),
            "ended": end is not None,
        }
        for start, end in spoken
    ]
    line = " ".join(
        f"{across((n + 0.5) * WINDOW_MS):.1f},{sure(p):.1f}"
        for n, p in enumerate(probabilities(pcm))
    )
    said = _said(pcm, spoken)
    return Shown(
        said,
        DRAWN.render(
            said=said,
            outline=_outline(pcm, across, length),
            boxes=boxes,
            line=line,
            threshold=sure(threshold),
            marks=[(sure(p) + 4, p) for p in (0, 1)],
            seconds=[(across(s * 1000), s) for s in range(0, length // 1000 + 1)],
            left=LEFT,
            wide=WIDE,
            colours=COLOURS,
        ),
    )


def _said(pcm, spoken):
    answers = [turn.end_ms for turn in spoken if turn.end_ms is not None]
    counted = f"{len(spoken)} turn{'' if len(spoken) == 1 else 's'}"
    if not answers:
        return f"{counted}, and no answer."
    early = sum(end < last_word_ms(pcm) for end in answers)
    cut = (
        f"; {early} of the answers cut{'s' if early == 1 else ''} the speaker off" if early else ""
    )
    return f"{counted}; answers begin at {', '.join(f'{end:,} ms' for end in answers)}{cut}. The last word ends at {last_word_ms(pcm):,} ms."


def _outline(pcm, across, length):
    """The path of a waveform around 0, one column for two pixels."""
    sound = np.abs(np.frombuffer(pcm, "<i2").astype(int))
    columns = [int(piece.max(initial=0)) for piece in np.array_split(sound, (WIDE - LEFT) // 2)]
    most = max(max(columns), 1)
    points = [
        (across(length * (i + 0.5) / len(columns)), 42 * value / most)
        for i, value in enumerate(columns)
    ]
    return (
        "M"
        + "L".join(f"{x:.1f} {-y:.1f}" for x, y in points)
        + "L"
        + "L".join(f"{x:.1f} {y:.1f}" for x, y in reversed(points))
        + "Z"
    )
