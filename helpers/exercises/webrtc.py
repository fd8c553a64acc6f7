"""The exercises of notebooks/2_realtime/02_webrtc_in_twelve_lines."""

from . import exercise, judge


@exercise(
    "webrtc-1",
    hint="The session goes into `session=`, its lifetime into `expires_after=`, beside it.",
)
def an_exhibit_s_secret(answer):
    lives = answer.expires_at - int(answer.value[3:11], 16)
    if abs(lives - 120) > 1:
        return f"this secret lives {lives} seconds, not 120."
    heard, said = answer.session.audio.input, answer.session.audio.output
    if said.voice != "cedar":
        return f"its voice is {said.voice}."
    if heard.transcription is None:
        return "it transcribes nothing."
    if heard.turn_detection is None or heard.turn_detection.type != "server_vad":
        return "its turns are not detected by server_vad."
    wait = heard.turn_detection.silence_duration_ms
    return None if wait == 800 else f"its turns end after {wait} ms of silence."


BEST = {"train": "webrtc", "phone line": "websocket", "hub": "websocket", "toy": "webrtc"}
WHY = {
    "train": "on a train packets get lost, and over a WebSocket all that follows a lost one waits for it",
    "phone line": "the server has bytes of G.711 already, which a session takes as they are; a second codec and a peer connection would add work and no quality",
    "hub": "without UDP there is no call; a WebSocket passes wherever the notebook's own does",
    "toy": "wifi in a garden loses packets, and Opus needs a fraction of the bytes",
}


@exercise("webrtc-2", hint="Who has the sound, and what lies between it and the API?")
def which_way(answer):
    return judge(answer, BEST, ("webrtc", "websocket"), WHY)
