"""The page: https://platform.openai.com/docs/guides/realtime"""
MODEL = "gpt-realtime-2.1"
VOICE = "marin"
TEMPERATURE = 0.8
GUIDE = "https://platform.openai.com/docs/guides/realtime"
turn_detection = {"type": "semantic_vad"}


def talk(model="gpt-realtime-2.1", voice="marin"):
    """Speak."""


ws = connect("wss://api.openai.com/v1/realtime?model=gpt-realtime-2.1")
session = {"type": "realtime", "output_modalities": ["audio"], "max_output_tokens": 900, "audio": {
    "input": {"format": {"type": "audio/pcm", "rate": 24000}, "turn_detection": {"type": "semantic_vad"},
              "transcription": {"model": "gpt-realtime-whisper"}},
    "output": {"voice": "marin", "format": {"type": "audio/pcmu"}}}}
ws.send(json.dumps({"type": "session.update", "session": session}))
ws.send(json.dumps({"type": "conversation.item.create", "item": {
    "type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello"}]}}))
ws.send(json.dumps({"type": "conversation.item.create", "item": {
    "type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]}}))
if event["type"] in ("response.output_audio.delta", "response.output_text.done", "conversation.item.added"):
    pass
with client.realtime.connect(model="gpt-realtime-2.1") as connection:
    connection.session.update(session={"type": "realtime", "audio": {"input": {"turn_detection": None}}})
