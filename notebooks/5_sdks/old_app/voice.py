"""The help desk's telephone: a Realtime session over a WebSocket."""
import base64

from openai import OpenAI

client = OpenAI()


def talk(play):
    with client.beta.realtime.connect(model="gpt-4o-realtime-preview-2024-12-17") as connection:
        connection.session.update(session={
            "modalities": ["audio", "text"],
            "voice": "verse",
            "input_audio_format": "pcm16",
            "turn_detection": {"type": "server_vad"},
        })
        for event in connection:
            if event.type == "response.audio.delta":
                play(base64.b64decode(event.delta))
            elif event.type == "response.audio_transcript.done":
                print(event.transcript)
