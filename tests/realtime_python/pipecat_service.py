"""One conversation through Pipecat's Realtime service: a question that calls a function, a story,
an interruption. Clips stand in for the microphone.

Run by tests/realtime/test_others_clients.py: reads {clip: its file} as JSON, writes what came.
"""

import asyncio
import json
import os
import sys
import time
from pathlib import Path

from pipecat.adapters.llm.schemas.function_schema import FunctionSchema
from pipecat.adapters.llm.schemas.tools_schema import ToolsSchema
from pipecat.frames.frames import (
    ErrorFrame,
    InputAudioRawFrame,
    InterruptionFrame,
    LLMRunFrame,
    TTSAudioRawFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.services.openai.realtime import events
from pipecat.services.openai.realtime.llm import OpenAIRealtimeLLMService
from pipecat.workers.runner import WorkerRunner

RATE, FRAME = 24_000, 480  # samples a second, and of a frame


class Loudspeaker(FrameProcessor):
    """Plays nothing; notes what comes."""

    def __init__(self, came):
        super().__init__()
        self.came, self.sounds = came, 0

    async def process_frame(self, frame, direction):
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSAudioRawFrame):
            self.sounds += 1
        if isinstance(frame, InterruptionFrame):
            self.came["interrupted"] += self.sounds > 0
            self.sounds = 0
        if isinstance(frame, ErrorFrame):
            self.came["errors"].append(frame.error)
        await self.push_frame(frame, direction)


async def talk(files):
    came = {"called": [], "interrupted": 0, "errors": [], "history": []}

    async def tax_for(given):
        came["called"].append(dict(given.arguments))
        await given.result_callback("41")

    tax = FunctionSchema(
        name="tax_for",
        description="The federal income tax.",
        properties={
            "year": {"type": "integer"},
            "filing_status": {"type": "string"},
            "taxable_income": {"type": "integer"},
        },
        required=["year", "filing_status", "taxable_income"],
    )
    url = os.environ["OPENAI_BASE_URL"].replace("http", "ws")
    properties = events.SessionProperties(
        audio=events.AudioConfiguration(
            input=events.AudioInput(
                transcription=events.InputAudioTranscription(),
                turn_detection=events.TurnDetection(),
            )
        ),
    )
    llm = OpenAIRealtimeLLMService(
        api_key=os.environ["OPENAI_API_KEY"],
        base_url=f"{url}/realtime",
        settings=OpenAIRealtimeLLMService.Settings(
            model="gpt-realtime-2.1",
            system_instruction="Be brief.",
            session_properties=properties,
        ),
    )
    llm.register_function("tax_for", tax_for)
    context = LLMContext(tools=ToolsSchema(standard_tools=[tax]))
    pair, loudspeaker = LLMContextAggregatorPair(context), Loudspeaker(came)
    task = PipelineWorker(
        Pipeline([pair.user(), llm, loudspeaker, pair.assistant()]),
        params=PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=RATE),
        cancel_on_idle_timeout=False,
    )
    sound = bytearray()

    async def microphone():
        at = time.monotonic()
        while True:
            at += FRAME / RATE
            await asyncio.sleep(max(0, at - time.monotonic()))
            piece = bytes(sound[: 2 * FRAME]).ljust(2 * FRAME, b"\0")
            del sound[: 2 * FRAME]
            await task.queue_frame(InputAudioRawFrame(piece, RATE, 1))

    said = lambda role: [
        m["content"]
        for m in context.get_messages()
        if m.get("role") == role and isinstance(m.get("content"), str)
    ]

    async def until(done, what):
        try:
            async with asyncio.timeout(40):
                while not done():
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise SystemExit(f"no {what}: {came} {context.get_messages()}") from None

    say = lambda name: sound.extend(Path(files[name]).read_bytes())

    async def lines():
        await task.queue_frame(LLMRunFrame())
        await until(lambda: said("assistant"), "greeting")
        await asyncio.sleep(2)  # in which it is heard
        say("user-tax")
        await until(lambda: len(said("assistant")) == 2, "answer")
        await asyncio.sleep(3)
        loudspeaker.sounds = 0
        say("user-story")
        await until(lambda: len(said("user")) == 2 and loudspeaker.sounds, "story")
        await asyncio.sleep(0.7)  # of the story
        say("user-stop")
        await until(lambda: len(said("assistant")) == 4, "last answer")

    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(task)
    run = asyncio.create_task(runner.run())
    hears = asyncio.create_task(microphone())
    try:
        await lines()
    finally:
        hears.cancel()
        await task.cancel()
        await asyncio.wait([run])
    words = [m for m in context.get_messages() if isinstance(m.get("content"), str)]
    came["history"] = [(m["role"], m["content"]) for m in words[1:]]  # without the greeting
    return came


print(json.dumps(asyncio.run(talk(json.load(sys.stdin)))))
