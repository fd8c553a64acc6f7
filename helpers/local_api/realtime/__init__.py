"""The Realtime API in its GA shape: a conversation in sound, computed here; what it says back is
constructed.

    websocket.py  its transport over /v1/realtime, and who may use it
    calls.py      calls over WebRTC: client secrets (secrets.py), offers, hanging up; webrtc.py:
                  their transport
    session.py    one conversation: client events and sound in, server events and sound out; no
                  sockets
    config.py     what a session can be set to; events.py: ids, errors, checks; items.py: the
                  conversation
    buffers.py    the sound that has come; ../../facts/turns.py: when somebody speaks; hearing.py
                  there: which clip it is
    ../voice/     ears and a mouth; ../../facts/meaning.py: the scene that words mean;
                  slot_values.py: what fills its slots; mind.py: a chat model in its place
    scenarios.py  what is said back; instructions.py: what it must follow; calling.py: a function's
                  arguments; returned.py: what it gave back; responses.py: one answer from created
                  to done; usage.py: its tokens

A transport makes a Session with a `send` (takes a server event as a dict), calls `session.open()`,
awaits `session.receive(event)` for each client event and, where sound comes outside of events
(WebRTC), `session.hear(pcm)`, and calls `session.close()` when its peer is gone. A transport that
plays the sound itself also gives a `voice`.

Nothing here is imported before the first Realtime request.
"""

import os

# NumPy's matrices here are small: more threads than one would only wait for each other. Read when
# NumPy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
