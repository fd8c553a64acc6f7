// One conversation, held by the collection's own pages, timed at a microphone and a loudspeaker of ours.
// Both are of one AudioContext, whose clock gives all times of the sound, in seconds.
window.measure = {
  async prepare({transport, question, g711}) {
    const context = this.context = new AudioContext({sampleRate: 24000});
    const recorder = `registerProcessor("recorder", class extends AudioWorkletProcessor {
      peak = 0; samples = 0;
      process([[sound]]) {
        for (const x of sound ?? []) this.peak = Math.max(this.peak, Math.abs(x));
        if ((this.samples += 128) >= 256) { this.port.postMessage([currentTime, this.peak]); this.peak = this.samples = 0; }
        return true;
      }
    });`;
    await context.audioWorklet.addModule(URL.createObjectURL(new Blob([recorder], {type: "text/javascript"})));
    this.mouth = context.createMediaStreamDestination();
    // a quiet room, 66 dB down: a microphone never stops giving samples, and a stream of nothing would not be sent
    const hiss = new AudioBuffer({length: 24000, sampleRate: 24000});
    hiss.copyToChannel(Float32Array.from({length: 24000}, () => (Math.random() - 0.5) / 1000), 0);
    const room = new AudioBufferSourceNode(context, {buffer: hiss, loop: true});
    room.connect(this.mouth);
    room.start();
    this.question = await context.decodeAudioData(Uint8Array.from(atob(question), c => c.charCodeAt(0)).buffer);
    this.player = document.getElementById("player");
    this.connect = (await import(`${location.origin}/day9/pages/${transport === "webrtc" ? "webrtc_events" : "websocket"}.js`)).connect;
    if (transport !== "webrtc") watchSockets(g711);
  },

  // lastWord: where in the question its last word ends, in seconds. limit: seconds from there on.
  async talk({secret, lastWord, limit}) {
    const {context, player} = this, heard = [], seen = {};
    const begun = performance.now();
    const connection = await this.connect(`${location.origin}/v1`, secret, this.mouth.stream, player);
    if (connection.connectionState) await new Promise(connected => {
      const look = () => connection.connectionState === "connected" && connected();
      connection.addEventListener("connectionstatechange", look);
      look();
    });
    const setup = performance.now() - (window.opened ?? begun);
    connection.events.addEventListener("message", ({data}) => {
      const event = JSON.parse(data);
      seen[event.type] ??= event.transcript ?? true;
    });
    const recorder = new AudioWorkletNode(context, "recorder", {numberOfOutputs: 0});
    recorder.port.onmessage = ({data}) => heard.push(data);
    context.createMediaStreamSource(player.srcObject).connect(recorder);

    const source = new AudioBufferSourceNode(context, {buffer: this.question});
    source.connect(this.mouth);
    const asked = context.currentTime + 0.2;
    source.start(asked);
    const ended = asked + lastWord, last = connection.getStats ? "output_audio_buffer.stopped" : "response.done";
    let first = null, concealed = null;
    const loud = () => heard.findLast(([, peak]) => peak > LOUD)?.[0];
    while (context.currentTime < ended + limit) {
      await new Promise(passed => setTimeout(passed, 100));
      const stats = await soundStats(connection);
      if (loud()) first ??= stats;
      concealed = stats && first && {concealed: stats.concealedSamples - first.concealedSamples, all: stats.totalSamplesReceived - first.totalSamplesReceived};
      if (seen[last] && loud() && context.currentTime > loud() + 1.5) break;
    }
    connection.close();
    return {setup, ended, heard, concealed, over: !!seen[last], said: seen["response.output_audio_transcript.done"] ?? "", understood: seen["conversation.item.input_audio_transcription.completed"] ?? "",
            seconds: (performance.now() - begun) / 1000};
  },
};
const LOUD = 0.02;

async function soundStats(connection) {
  return connection.getStats ? [...(await connection.getStats()).values()].find(s => s.type === "inbound-rtp" && s.kind === "audio") : null;
}

// Notes when the page opens its socket; with g711 the page's PCM16 goes over the wire as G.711 at 8 kHz, both ways.
function watchSockets(g711) {
  window.WebSocket = class extends WebSocket {
    constructor(...given) {
      super(...given);
      window.opened = performance.now();
    }
    send(text) {
      const event = JSON.parse(text);
      if (g711 && event.type === "input_audio_buffer.append") event.audio = toUlaw(event.audio);
      super.send(JSON.stringify(event));
    }
    set onmessage(listen) {
      super.onmessage = ({data}) => {
        const event = JSON.parse(data);
        if (g711 && event.type === "response.output_audio.delta") event.delta = fromUlaw(event.delta);
        listen(new MessageEvent("message", {data: JSON.stringify(event)}));
      };
    }
  };
}

const bytesOf = base64 => Uint8Array.from(atob(base64), letter => letter.charCodeAt(0));
const base64Of = bytes => { let text = ""; for (const b of bytes) text += String.fromCharCode(b); return btoa(text); };

function toUlaw(base64) {
  const samples = new Int16Array(bytesOf(base64).buffer), bytes = new Uint8Array(samples.length / 3);
  for (let i = 0; i < bytes.length; i++) {
    const sample = (samples[3 * i] + samples[3 * i + 1] + samples[3 * i + 2]) / 3;
    const size = Math.min(Math.abs(sample), 32635) + 132, part = Math.floor(Math.log2(size)) - 7;
    bytes[i] = ~((sample < 0 ? 128 : 0) | part << 4 | size >> part + 3 & 15);
  }
  return base64Of(bytes);
}

function fromUlaw(base64) {
  const bytes = bytesOf(base64), samples = new Int16Array(3 * bytes.length);
  bytes.forEach((byte, i) => {
    const flipped = ~byte & 255, size = ((flipped & 15) << 3) + 132 << (flipped >> 4 & 7);
    samples.fill(flipped & 128 ? 132 - size : size - 132, 3 * i, 3 * i + 3);
  });
  return base64Of(new Uint8Array(samples.buffer));
}
