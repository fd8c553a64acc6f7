// In a page of helpers/realtime/pages, before its own scripts: when the microphone and the loudspeaker become loud, which
// events come, how many samples of what came were missing so far, all in milliseconds of performance.now(); and the call
// itself, for its statistics.
window.seen = {mic: [], heard: [], events: [], missing: []};
window.peers = [];
setInterval(async () => {
  const came = [...(await window.peers[0]?.getStats() ?? new Map()).values()].find(s => s.type === "inbound-rtp");
  if (came) window.seen.missing.push([performance.now(), came.concealedSamples]);
}, 100);
const PAUSE = 75;  // blocks of 128 samples, 0.2 s: a pause between two words is none
const WORKLET = `registerProcessor("loud", class extends AudioWorkletProcessor {
  quiet = ${PAUSE};  // blocks since the last loud one
  process([[channel]]) {
    // two messages a stretch: one a block would take from both voices the time that is measured
    if (channel?.some(x => Math.abs(x) > 0.01)) {
      if (this.quiet >= ${PAUSE}) this.port.postMessage(true);
      this.quiet = 0;
    } else if (++this.quiet === ${PAUSE}) this.port.postMessage(false);
    return true;
  }
});`;

// seen[name]: [first loud, last loud] of each stretch
async function watch(stream, name) {
  const context = new AudioContext({sampleRate: 48000, latencyHint: 0});
  await context.audioWorklet.addModule(URL.createObjectURL(new Blob([WORKLET], {type: "text/javascript"})));
  const loud = new AudioWorkletNode(context, "loud", {numberOfOutputs: 0});
  loud.port.onmessage = ({data: begins}) => {
    const now = performance.now(), all = window.seen[name];
    if (begins) all.push([now, 1e12]);  // still loud
    else all.at(-1)[1] = now - PAUSE * 128 / 48;
  };
  context.createMediaStreamSource(stream).connect(loud);
}

const Peer = window.RTCPeerConnection;
window.RTCPeerConnection = class extends Peer {
  constructor(...given) {
    super(...given);
    window.peers.push(this);
    this.addEventListener("track", ({streams}) => watch(streams[0], "heard"));
  }
  addTrack(track, stream) {
    watch(stream, "mic");
    return super.addTrack(track, stream);
  }
  createDataChannel(...given) {
    const channel = super.createDataChannel(...given);
    channel.addEventListener("message", ({data}) => {
      const {type, transcript, error} = JSON.parse(data);
      if (!type.endsWith(".delta")) window.seen.events.push([performance.now(), type, transcript ?? error?.message ?? ""]);
    });
    return channel;
  }
};
