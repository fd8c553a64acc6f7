"""One conversation through LiveKit's agents, over their Realtime model: a question that calls a
function, a story, an interruption. Clips stand in for the microphone, a clock for the loudspeaker.

Run by tests/realtime/test_others_clients.py: reads {clip: its file} as JSON, writes what came.
"""

import asyncio
import json
import os
import sys
import time
from pathlib import Path

from livekit import rtc
from livekit.agents import Agent, AgentSession, function_tool
from livekit.agents.voice import io
from livekit.plugins import openai

RATE, FRAME = 24_000, 480  # samples a second, and of a frame


class Microphone(io.AudioInput):
    """Says clips at their pace, and is silent between them."""

    def __init__(self):
        super().__init__(label="clips")
        self.sound, self.next = bytearray(), time.monotonic()

    async def __anext__(self):
        self.next += FRAME / RATE
        await asyncio.sleep(max(0, self.next - time.monotonic()))
        piece = bytes(self.sound[: 2 * FRAME]).ljust(2 * FRAME, b"\0")
        del self.sound[: 2 * FRAME]
        return rtc.AudioFrame(piece, RATE, 1, FRAME)


class Loudspeaker(io.AudioOutput):
    """Plays nothing, as long as a real one would."""

    def __init__(self):
        super().__init__(
            label="clock", capabilities=io.AudioOutputCapabilities(pause=False), sample_rate=RATE
        )
        self.seconds, self.began, self.ends = 0.0, 0.0, None

    async def capture_frame(self, frame):
        await super().capture_frame(frame)
        if not self.seconds:
            self.began = time.monotonic()
            self.on_playback_started(created_at=time.time())
        self.seconds += frame.duration

    def flush(self):
        super().flush()
        left = self.began + self.seconds - time.monotonic()
        self.ends = asyncio.get_running_loop().call_later(max(0, left), self.end, False)

    def clear_buffer(self):
        if self.seconds:
            self.end(True)

    def end(self, interrupted):
        if self.ends:
            self.ends.cancel()
        played = min(self.seconds, time.monotonic() - self.began)
        self.seconds, self.ends = 0.0, None
        self.on_playback_finished(playback_position=played, interrupted=interrupted)


async def talk(files):
    came = {"called": [], "interrupted": 0, "errors": [], "history": []}

    @function_tool
    async def tax_for(year: int, filing_status: str, taxable_income: int) -> str:
        """The federal income tax."""
        asked = {"year": year, "filing_status": filing_status, "taxable_income": taxable_income}
        came["called"].append(asked)
        return "41"

    model = openai.realtime.RealtimeModel(
        model="gpt-realtime-2.1",
        api_key=os.environ["OPENAI_API_KEY"],
        base_url=os.environ["OPENAI_BASE_URL"],
    )
    session = AgentSession(llm=model)
    states, heard = [], []
    session.on("error", lambda e: came["errors"].append(str(e.error)))
    session.on("agent_state_changed", lambda e: states.append(e.new_state))
    session.on("user_input_transcribed", lambda e: e.is_final and heard.append(e.transcript))
    session.input.audio, session.output.audio = microphone, _ = Microphone(), Loudspeaker()

    async def until(done, what):
        try:
            async with asyncio.timeout(60):
                while not done():
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise SystemExit(f"no {what}: {came} {states} {heard}") from None

    said = lambda: [
        item
        for item in session.history.items
        if item.type == "message" and item.role == "assistant"
    ]
    say = lambda name: microphone.sound.extend(Path(files[name]).read_bytes())
    await session.start(Agent(instructions="Be brief.", tools=[tax_for]))
    say("user-tax")
    await until(said, "answer")
    say("user-story")
    await until(lambda: len(heard) == 2 and states[-1] == "speaking", "story")
    await asyncio.sleep(0.7)  # of the story
    say("user-stop")
    await until(lambda: len(said()) == 3, "last answer")
    for item in session.history.items:
        if item.type == "message":
            came["history"].append((item.role, item.text_content))
            came["interrupted"] += item.interrupted
    await session.aclose()
    return came


print(json.dumps(asyncio.run(talk(json.load(sys.stdin)))))
