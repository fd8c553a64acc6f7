import json

import websocket
from openai import AsyncOpenAI

ws = websocket.create_connection(
    "wss://api.openai.com/v1/realtime?model=gpt-4o-realtime-preview-2024-12-17",  # names: gpt-4o-realtime-preview-2024-12-17
    header=["OpenAI-Beta: realtime=v1"])  # names: OpenAI-Beta: realtime=v1
ws.send(json.dumps({"type": "session.update", "session": {
    "modalities": ["text", "audio"],  # names: modalities
    "voice": "verse",  # names: voice
    "input_audio_format": "pcm16",  # names: input_audio_format, pcm16
    "output_audio_format": "g711_ulaw",  # names: output_audio_format, g711_ulaw
    "input_audio_transcription": {"model": "whisper-1"},  # names: input_audio_transcription, whisper-1
    "turn_detection": {"type": "server_vad"},  # names: turn_detection
    "temperature": 0.8,  # names: temperature
    "max_response_output_tokens": 900}}))  # names: max_response_output_tokens
ws.send(json.dumps({"type": "conversation.item.create", "item": {
    "type": "message", "role": "assistant",
    "content": [{"type": "text", "text": "Hello"}]}}))  # names: "type": "text"
ws.send(json.dumps({"type": "response.create", "response": {"modalities": ["text"]}}))  # names: modalities
while event := json.loads(ws.recv()):
    if event["type"] == "response.audio.delta":  # names: response.audio.delta
        pass
    elif event["type"] in ("response.audio.done", "response.text.done"):  # names: response.audio.done, response.text.done
        pass

async def main():
    async with AsyncOpenAI().beta.realtime.connect(model="gpt-4o-mini-realtime-preview") as connection:  # names: beta.realtime, gpt-4o-mini-realtime-preview
        await connection.session.update(session={"turn_detection": None})  # names: turn_detection
