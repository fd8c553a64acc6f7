"""WebRTC beside WebSocket: one spoken question over each, live, and what
tests/tools/measure_transports.py measured.

The two functions that talk say a clip in real time, as a microphone would, and go on being silent
until the answer would have been played; so bytes and seconds of both compare.
"""

import asyncio
import base64
import json
import math
from typing import NamedTuple

from ..common import tabled
from ..common.counted import counted
from ..common.markup import Template
from ..common.still import Still
from ..facts import DATA, sounds
from ..facts.files import read_json
from . import sockets  # from here on, waits end

FOLDER = DATA / "realtime"
PIECE = 40  # ms of sound in one event, as the pages of 2_realtime/02 send it
LENGTH = PIECE * sounds.BYTES_A_MS
STILL = Template("""
<div class="mathjax_ignore">
  <p><b>When this page was made:</b></p>
  <ul>{% for line in lines %}<li>{{ line }}</li>{% endfor %}</ul>
</div>
""")


class SpokenTurn(NamedTuple):
    """One question and its answer. Bytes are those of messages and packets, without TCP's, UDP's
    and IP's headers.
    """

    bytes_up: int
    bytes_down: int
    seconds: float  # of sound that was sent up, silence included
    # from the last word of the question to the answer's first sound on the wire
    first_sound_ms: int
    shown: object  # both sides' words, framed with their origin


async def warm(client, model):
    """Let the local API load its ear, which it does when the first session opens: a second or two
    that no clock below should have.
    """
    async with client.realtime.connect(model=model) as connection:
        await connection.response.create(
            response={"conversation": "none", "output_modalities": ["text"], "input": []}
        )
        async for event in connection:
            if event.type == "error":
                raise RuntimeError(event.error.message)
            if event.type == "response.done":
                return


async def over_websocket(client, session, clip):
    """Say a clip of data/audio over a WebSocket. `client`: an AsyncOpenAI; `session`: its `model`
    and settings.

    Returns a SpokenTurn. RuntimeError with the API's words for settings that it refuses;
    LookupError for a clip that is none.
    """
    from .. import display
    from ..common import spoken
    from . import turn_taking

    heard = sockets.Talk()
    up, down, events = [], [], []
    async with client.realtime.connect(model=session["model"]) as connection:

        async def send(event):
            up.append(json.dumps(event))
            heard.note(event)
            await connection.send_raw(up[-1])

        async def listen():
            while not events or events[-1].type != "response.done":
                down.append(await connection.recv_bytes())
                events.append(connection.parse_event(down[-1]))
                heard.note(json.loads(down[-1]))
                if events[-1].type == "error":
                    raise RuntimeError(events[-1].error.message)
                if events[-1].type == "response.output_audio.delta":
                    times.setdefault("sound", clock())

        await send({"type": "session.update", "session": session})
        clock, times = asyncio.get_running_loop().time, {}
        listening = asyncio.ensure_future(listen())
        said, begun, sent = sounds.clip(clip), clock(), 0
        times["word"] = begun + turn_taking.last_word_ms(said) / 1000
        until = float("inf")
        while sent * PIECE < until:
            start = sent * LENGTH
            piece = said[start : start + LENGTH].ljust(LENGTH, b"\0")
            sent += 1
            await asyncio.sleep(max(0, begun + sent * PIECE / 1000 - clock()))
            await send(
                {"type": "input_audio_buffer.append", "audio": base64.b64encode(piece).decode()}
            )
            if listening.done():
                listening.result()  # what went wrong there is raised here
                if "sound" not in times:
                    told = spoken.in_words(events[-1].response)
                    raise RuntimeError(f"There is no first sound to time. The answer was: {told}")
                until = 1000 * (times["sound"] - begun) + _ms_of_sound(events)
            elif sent * PIECE > sounds.ms(said) + 1000 * sockets.PATIENCE:
                listening.cancel()
                raise TimeoutError(f"No answer came. {heard.waits_for()}")
    return SpokenTurn(
        sum(map(len, up)),
        sum(map(len, down)),
        sent * PIECE / 1000,
        round(1000 * (times["sound"] - times["word"])),
        display.show(events),
    )


def _ms_of_sound(events):
    """How long the answer's sound takes to be heard."""
    pieces = (e.delta for e in events if e.type == "response.output_audio.delta")
    return sum(len(base64.b64decode(piece)) for piece in pieces) / sounds.BYTES_A_MS


async def over_webrtc(secret, clip):
    """The same in a WebRTC call, with aiortc. `secret`: a client secret's value. Returns a
    SpokenTurn.
    """
    from . import turn_taking, voice_client

    call = await voice_client.Caller(secret).dial()
    clock, sound = asyncio.get_running_loop().time, sounds.clip(clip)
    try:
        await call.say(sound)
        word = clock() - (sounds.ms(sound) - turn_taking.last_word_ms(sound)) / 1000
        await call.until("output_audio_buffer.started")
        first = clock()
        await call.until("output_audio_buffer.stopped")
        line = next(s for s in (await call.peer.getStats()).values() if s.type == "transport")
        return SpokenTurn(
            line.bytesSent,
            line.bytesReceived,
            call.mouth.sent * 0.02,
            round(1000 * (first - word)),
            call.shown(),
        )
    finally:
        await call.hang_up()


def live(talks):
    """A widget with what each SpokenTurn took. `talks`: {name: SpokenTurn}. The numbers differ from
    run to run: where no kernel runs, the bytes are those of when the page was made; the time says
    more about the machine.
    """
    import ipywidgets

    class Live(Still, ipywidgets.HTML):
        def still(self):
            lines = [
                f"{name}: {_kb(turn.bytes_up, turn)} kB a second up, {_kb(turn.bytes_down, turn)} down"
                for name, turn in talks.items()
            ]
            return STILL.render(lines=lines)

        def __repr__(self):
            return (
                "What the conversations took just now, "
                + " and ".join(talks)
                + ": run this cell to see it."
            )

    columns = {
        "": list(talks),
        "first sound after, ms": [turn.first_sound_ms for turn in talks.values()],
        "kB a second up": [_kb(turn.bytes_up, turn) for turn in talks.values()],
        "kB a second down": [_kb(turn.bytes_down, turn) for turn in talks.values()],
    }
    table = tabled.table(list(columns), list(columns.values()), named=1)
    # looks as all others, which JupyterLab's class would put in the middle of the width
    return Live(table, layout={"width": "fit-content"}).add_class("jp-RenderedHTMLCommon")


def _kb(sent, turn):
    """Bytes of a SpokenTurn as kB a second."""
    return round(sent / turn.seconds / 1000, 1)


def measured():
    """data/realtime/transports.csv as a DataFrame, a row for each conversation, in the order of
    transports.json.

    Columns beside those of the file (data/README.md): `stalled_s`, how much longer than itself the
    answer took; `kB_s_up` and `kB_s_down`, of all IP packets.
    """
    import pandas as pd

    table, how = pd.read_csv(FOLDER / "transports.csv"), setting()
    for column, names in (("condition", how["conditions"]), ("transport", how["transports"])):
        table[column] = pd.Categorical(table[column], list(names), ordered=True)
    table["stalled_s"] = ((table["answer_took_ms"] - how["answer_ms"]).clip(lower=0) / 1000).round(
        2
    )
    for way in ("up", "down"):
        table[f"kB_s_{way}"] = (table[f"bytes_{way}"] / table["seconds"] / 1000).round(1)
    return table


def setting():
    """What was measured, and with what: data/realtime/transports.json."""
    return read_json(FOLDER / "transports.json")


DOTTED = {  # column: the figure's title, its axis
    "first_sound_ms": ("The first sound", "after the last word, ms"),
    "setup_ms": ("The set-up", "from the opening until it may be spoken into, ms"),
    "kB_s_up": ("What goes up", "all IP packets up, kB/s"),
    "kB_s_down": ("What comes down", "all IP packets down, kB/s"),
}


def dots(table, column):
    """A figure with a dot for each conversation: `column`, one of DOTTED, to the right
    (logarithmic), a row for each condition.

    Transports are told apart by colour and shape. A conversation without a value has no dot.
    KeyError for another column, ValueError for a table without a value in it.
    """
    import plotly.express as px

    if column not in DOTTED:
        raise KeyError(f"no dots are drawn of {column!r}; of these: {', '.join(DOTTED)}")
    if not table[column].notna().any():
        raise ValueError(f"no conversation of this table has a value of {column}")
    title, label = DOTTED[column]
    networks = table["condition"].nunique()
    fig = px.strip(
        table,
        x=column,
        y="condition",
        color="transport",
        title=f"{title}, on {networks} network{'s' * (networks != 1)}",
        labels={column: f"{label} (logarithmic)", "condition": "", "transport": ""},
        category_orders={"condition": list(table["condition"].cat.categories)},
        hover_data=["run"],
    )
    for trace, shape in zip(fig.data, ("circle", "diamond", "square", "x", "triangle-up")):
        trace.update(marker={"symbol": shape, "size": 8}, jitter=0.4)
    ticks = [
        n * 10**power for power in range(5) for n in (1, 2, 5)
    ]  # plotly's own leave the zeros away
    least = math.log10(0.9 * next(tick for tick in reversed(ticks) if tick < table[column].min()))
    return fig.update_xaxes(
        type="log",
        tickvals=ticks,
        tickformat=",",
        range=[least, math.log10(1.1 * table[column].max())],
    ).update_layout(height=460)


def spread(table, column, digits=0):
    """Median and range of a column, for each condition (a row) and transport, as text; a dash where
    it has no value.
    """

    def said(values):
        found = values.dropna()
        few = f", {len(found)} of {len(values)}" if len(found) < len(values) else ""
        return (
            f"{found.median():,.{digits}f} ({found.min():,.{digits}f} to {found.max():,.{digits}f}{few})"
            if len(found)
            else "–"
        )

    return table.groupby(["condition", "transport"], observed=True)[column].apply(said).unstack()


def in_words(table, column, digits=0):
    """The dots of a column in words, for who cannot see them: its spread, a sentence for each
    condition.
    """
    rows = spread(table, column, digits)
    told = [
        f"{condition}: " + ", ".join(f"{transport} {said}" for transport, said in row.items())
        for condition, row in rows.iterrows()
    ]
    return (
        f"{counted(len(rows), 'row')} of dots; median and range of each. " + ". ".join(told) + "."
    )
