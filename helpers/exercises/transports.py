"""The exercises of notebooks/2_realtime/05_webrtc_or_websocket."""

from . import exercise, judge

LATE = 500  # ms


@exercise(
    "transports-1",
    hint="Fill missing first sounds with infinity, take medians by condition and transport, then compare the two columns.",
)
def where_it_is_late(answer):
    from .. import transports

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


BEST = {"tram": "webrtc", "studio": "pcm16", "firewall": "bbr", "hut": "g711"}
WHY = {
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
    return judge(answer, BEST, ("webrtc", "pcm16", "g711", "bbr"), WHY)
