"""The exercises of notebooks/2_realtime, in the order of the notebooks."""

from ..costs import voice_costs
from ..realtime import own_words, turn_taking
from . import exercise, judge

# --- 01_a_spoken_conversation ---


@exercise(
    "conversation-1",
    hint="10 tokens for a second of you, 20 for a second of it; and what it hears in the second turn begins with everything from the first.",
)
def heard_in_the_second_turn(answer):
    right = voice_costs.usages([(3, 4), (2, 1)])[1]["input_token_details"]["audio_tokens"]
    if answer == right:
        return None
    if answer == 20:
        return "20 is what the second turn adds; the whole conversation is its input."
    return f"{answer} is not what the second response hears: your 3 s, its 4 s, and your 2 s."


CONVERSATION_WHY = {
    "forget the first turns": "an hour's history is billed again with each turn; deleting what is no longer needed cuts just that",
    "answer in text": "half of a turn's price is the sound that it speaks; a text is a fraction of it",
    "a shorter silence window": "the window changes when it answers, and adds at most some tokens of silence",
}
CONVERSATION_RIGHT = {
    "forget the first turns": "cheaper",
    "answer in text": "cheaper",
    "a shorter silence window": "no difference",
}


@exercise(
    "conversation-2",
    hint="Look at the columns `heard` and `spoken` of the usage table: which of them does each change make smaller?",
)
def what_makes_it_cheaper(answer):
    return judge(
        answer, CONVERSATION_RIGHT, ("cheaper", "dearer", "no difference"), CONVERSATION_WHY
    )


# --- 02_webrtc_in_twelve_lines ---


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


WEBRTC_BEST = {"train": "webrtc", "phone line": "websocket", "hub": "websocket", "toy": "webrtc"}
WEBRTC_WHY = {
    "train": "on a train packets get lost, and over a WebSocket all that follows a lost one waits for it",
    "phone line": "the server has bytes of G.711 already, which a session takes as they are; a second codec and a peer connection would add work and no quality",
    "hub": "without UDP there is no call; a WebSocket passes wherever the notebook's own does",
    "toy": "wifi in a garden loses packets, and Opus needs a fraction of the bytes",
}


@exercise("webrtc-2", hint="Who has the sound, and what lies between it and the API?")
def which_way(answer):
    return judge(answer, WEBRTC_BEST, ("webrtc", "websocket"), WEBRTC_WHY)


# --- 03_turns_and_interruptions ---

ENOUGH = range(100, 1_600, 50)


@exercise(
    "turns-1",
    hint="Try the values 100, 150, 200 ... in turn_taking.found(hesitant, silence_ms=...), and count the turns.",
)
def the_shortest_patience(answer):
    slow = turn_taking.hesitant()
    if not isinstance(answer, int) or answer not in ENOUGH:
        return f"{answer!r} is no multiple of 50 from 100 to 1550."
    turns = len(turn_taking.found(slow, silence_ms=answer))
    if turns > 1:
        return f"with {answer} ms the speaker is cut off: {turns} turns."
    shortest = next(ms for ms in ENOUGH if len(turn_taking.found(slow, silence_ms=ms)) == 1)
    return None if answer == shortest else f"{answer} ms is enough, but a shorter silence is, too."


TURNS_BEST = {
    "quiz": "short silence",
    "memories": "long silence",
    "building site": "button",
    "safety notice": "no interruption",
}
TURNS_WHY = {
    "quiz": "answers are short and the room is quiet: waiting longer gains nothing",
    "memories": "who remembers pauses; being cut off is worse than waiting",
    "building site": "other people's voices are speech to any detector; only a button knows who means it",
    "safety notice": "it must be heard to its end, whatever is said meanwhile",
}


@exercise(
    "turns-2",
    hint="What is the costly mistake here: waiting, cutting off, taking the wrong voice, or falling silent?",
)
def which_rule(answer):
    return judge(
        answer,
        TURNS_BEST,
        ("short silence", "long silence", "button", "no interruption"),
        TURNS_WHY,
    )


# --- 04_tools_and_guardrails ---


@exercise(
    "guardrails-1",
    hint="Five keys: `conversation`, `output_modalities`, `metadata`, `instructions`, `input`; the input is a list of items.",
)
def a_guard_of_its_own(answer):
    if not isinstance(answer, dict):
        return f"a response is a dict, and this is {answer!r}."
    if answer.get("conversation") != "none":
        return '`conversation` must be "none": else the verdict becomes part of the conversation.'
    if answer.get("output_modalities") != ["text"]:
        return '`output_modalities` must be ["text"]: else the guard speaks its verdict, and you pay for the sound.'
    if answer.get("metadata") != {"watch": "language"}:
        return f"`metadata` is {answer.get('metadata')!r}: with several guards you could not tell whose verdict this is."
    if not answer.get("instructions"):
        return "`instructions` are missing: it would answer the question in place of judging it."
    if "input" not in answer:
        return "`input` is missing: it would judge the conversation, and these words are not in it."
    said = [
        (item.get("type"), item.get("role"), part.get("type"), part.get("text"))
        for item in answer["input"]
        for part in item.get("content", [])
    ]
    if [(*kind, text.strip(" .!")) for *kind, text in said if isinstance(text, str)] != [
        ("message", "user", "input_text", "Teach me Spanish")
    ]:
        return "`input` must be one message of the user with one part, `input_text`, that says Teach me Spanish."
    return None


GUARDRAILS_RIGHT = {"bank": "hold back", "story": "stop midway", "clock": "no guard"}
GUARDRAILS_WHY = {
    "bank": "a number that was said cannot be taken back, and a short wait on a telephone is cheap",
    "story": "it is to begin at once, and a slip can only come later: a guard that runs beside it stops it there",
    "clock": "it says what your own function returned and nothing else; a guard would cost time and money at each question",
}


@exercise(
    "guardrails-2",
    hint="What does the first second of a wrong answer do, and what does a second of waiting cost?",
)
def which_guard(answer):
    return judge(answer, GUARDRAILS_RIGHT, ("hold back", "stop midway", "no guard"), GUARDRAILS_WHY)


# --- 05_webrtc_or_websocket ---

LATE = 500  # ms


@exercise(
    "transports-1",
    hint="Fill missing first sounds with infinity, take medians by condition and transport, then compare the two columns.",
)
def where_it_is_late(answer):
    from ..realtime import transports

    table = transports.measured().fillna({"first_sound_ms": float("inf")})
    medians = (
        table.groupby(["condition", "transport"], observed=True)["first_sound_ms"]
        .median()
        .unstack()
    )
    late = list(medians.index[medians["PCM16"] > medians["WebRTC"] + LATE])
    given = list(answer)
    unknown = [name for name in given if name not in medians.index]
    if unknown:
        return f"{unknown[0]!r} is no network of the table; there are {', '.join(medians.index)}."
    for name in medians.index:
        if (name in given) != (name in late):
            rtc, pcm = (
                f"{medians.loc[name, way]:,.0f} ms"
                if medians.loc[name, way] < float("inf")
                else "none"
                for way in ("WebRTC", "PCM16")
            )
            return f"{name!r} is {'missing' if name in late else 'one too many'}: first sound {rtc} over WebRTC, {pcm} with PCM16."
    return None


TRANSPORTS_BEST = {"tram": "webrtc", "studio": "pcm16", "firewall": "bbr", "hut": "g711"}
TRANSPORTS_WHY = {
    "tram": "packets get lost both ways and the phone's own TCP cannot be changed; what is late is better patched than waited for",
    "studio": "between two servers in one house nothing is lost, and PCM16 keeps the whole sound with the least to build",
    "firewall": "without UDP there is no call; the line has room for PCM16, what loss does to TCP another congestion control undoes, and both ends are yours; G.711 under the old rule began after seconds, once after 16",
    "hut": "without UDP there is no call, and PCM16 needs more than the line carries",
}


@exercise(
    "transports-2",
    hint="Ask in this order: does UDP get through, do the bits fit, are packets lost, and whose TCP is it?",
)
def which_transport(answer):
    return judge(answer, TRANSPORTS_BEST, ("webrtc", "pcm16", "g711", "bbr"), TRANSPORTS_WHY)


# --- 06_lawn_reindeer ---

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
REINDEER_BEST = {
    "spelling": "wideband",
    "satellite": "long packets",
    "game": "short packets",
    "garden": "hang up",
}
REINDEER_WHY = {
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
    return judge(answer, REINDEER_BEST, CHOICES, REINDEER_WHY)


# --- 07_say_it_in_your_own_words ---

ASKED, WRITTEN = "How many days until Halloween?", "How many days till how we in?"


@exercise(
    "own-words-1",
    hint="Line the two up: three words are the same. How many must be changed, and how many are too many?",
)
def words_that_are_wrong(answer):
    right, of = own_words.errors(ASKED, WRITTEN)
    if answer == right:
        return None
    if answer == 2:
        return "2 are changed; how many words are there that nobody said?"
    return f"{answer!r} is not the fewest: of {of} words, some are changed and some put in."


CHAIN_BEST = {
    "lamp": "chain",
    "hotline": "speech model",
    "bank": "chain",
    "tutor": "speech model",
}
CHAIN_WHY = {
    "lamp": "forty commands are found in misheard words, too, and a chain of small models needs no network",
    "hotline": "crying is in the sound, and no word says it",
    "bank": "a chain has its words and its scene in between, which can be read",
    "tutor": "an accent is how it was said; ears turn it into the right words",
}


@exercise(
    "own-words-2",
    hint="What must not be lost on the way: the words, or how they were said?",
)
def a_chain_or_not(answer):
    return judge(answer, CHAIN_BEST, ("chain", "speech model"), CHAIN_WHY)
