// What both pages share: buttons, a clip in place of the microphone, and the words as they come.
// The client secret arrives behind the # of the address, which a browser sends to no server.
const secret = decodeURIComponent(location.hash.slice(1));
history.replaceState(null, "", location.pathname);  // and does not stay in the history
const api = new URL("../../v1", location).href;
const [start, clip, which, end, player, log, status, events, level] =
  ["start", "clip", "which", "end", "player", "log", "status", "events", "level"].map(id => document.getElementById(id));
const NO_WAY = "The browser found no way to this machine: it calls from a network interface, and it seems that none is up. The WebSocket page needs none." +
  (/Safari/.test(navigator.userAgent) && !/Chrom/.test(navigator.userAgent) ? " This page was tried in Chromium and in Firefox, and not in Safari." : "");
let talk = null;  // {connection, sound, say} while it goes on

start.onclick = () => begin(microphone);
clip.onclick = () => talk?.say ? talk.say(which.value) : begin(recordings);
end.onclick = () => finish("Hung up.");

async function begin(source) {
  if (!secret) return tell("This page has no client secret. Open it from the notebook, which makes one.", true);
  start.disabled = clip.disabled = true;
  log.replaceChildren();  // what was said in the call before
  let from = {};
  try {
    tell("Connecting …");
    from = await source();
    const transport = events && !events.checked ? "webrtc" : document.body.dataset.transport;
    const {connect} = await import(`./${transport}.js`);
    const begun = performance.now();
    const connection = await connect(api, secret, from.sound, player);
    const shown = loud => { level.value = Math.max(0, 1 + Math.log10(loud + 1e-9) / 3); };  // -60 dB is 0
    talk = {...from, connection, meter: metered(from.sound, shown)};
    connection.events?.addEventListener("message", ({data}) => show(JSON.parse(data)));
    connection.events?.addEventListener("close", () => talk?.connection === connection && finish("The connection has ended.", true));
    connection.addEventListener?.("connectionstatechange", () => {
      if (connection.connectionState === "connected") ready(begun);
      if (connection.connectionState === "failed") finish(document.body.dataset.connected ? "The connection has ended." : NO_WAY, true);
    });
    setTimeout(() => {  // a browser without an address waits for ever
      if (talk?.connection === connection && !document.body.dataset.connected) finish(NO_WAY, true);
    }, 20_000);
    if (!connection.addEventListener) ready(begun);
    end.disabled = false;
  } catch (problem) {
    from.sound?.getTracks().forEach(track => track.stop());
    finish(explain(problem), true);
  }
}

function ready(begun) {
  document.body.dataset.connected = Math.round(performance.now() - begun);
  clip.disabled = !talk.say;
  clip.textContent = talk.say ? "Say it" : "Play a clip instead";
  tell(talk.say ? "Connected. A clip stands in for your voice." : "Connected. Speak.");
  talk.say?.(which.value);
}

async function microphone() {
  return {sound: await navigator.mediaDevices.getUserMedia({audio: true})};
}

async function recordings() {
  const context = new AudioContext(), mouth = context.createMediaStreamDestination();
  const say = async name => {
    const file = await (await fetch(`${name}.opus`)).arrayBuffer();
    const source = new AudioBufferSourceNode(context, {buffer: await context.decodeAudioData(file)});
    source.connect(mouth);
    source.start();
  };
  return {sound: mouth.stream, say, context};
}

// Tells how loud a stream is, 0 to 1, twenty times a second. Returns what ends it.
export function metered(sound, tell) {
  const context = new AudioContext(), analyser = new AnalyserNode(context, {fftSize: 1024});
  context.createMediaStreamSource(sound).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    tell(Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length));
  }, 50);
  return () => { clearInterval(timer); context.close(); tell(0); };
}

function explain(problem) {
  const say = {
    NotAllowedError: "The microphone was refused. Allow it in the browser, or play a clip instead.",
    NotFoundError: "There is no microphone here. Play a clip instead.",
    NotReadableError: "Another program holds the microphone. Play a clip instead.",
  };
  if (problem.message.includes("secret has expired")) return "The secret of this page has expired. Open the page anew from the notebook, which makes another one.";
  return say[problem.name] ?? `It did not work: ${problem.message}`;
}

function finish(text, wrong = false) {
  talk?.sound.getTracks().forEach(track => track.stop());
  talk?.context?.close();
  talk?.meter();
  talk?.connection.close();
  talk = null;
  start.disabled = clip.disabled = false;
  clip.textContent = "Play a clip instead";
  end.disabled = true;
  delete document.body.dataset.connected;
  tell(text, wrong);
}

function tell(text, wrong = false) {
  status.textContent = text;
  status.className = wrong ? "wrong" : "";
}

function show(event) {
  const said = {
    "conversation.item.input_audio_transcription.completed": ["you", event.transcript],
    "conversation.item.input_audio_transcription.failed": ["you", `(${event.error?.message})`],
    "response.output_audio_transcript.done": ["it", event.transcript],
    "conversation.item.truncated": ["note", `(interrupted after ${event.audio_end_ms} ms)`],
    "error": ["note", event.error?.message],
  }[event.type];
  if (!said) return;
  const line = document.createElement("li");
  line.className = said[0];
  line.textContent = `${{you: "You: ", it: "It: ", note: ""}[said[0]]}${said[1]}`;
  log.append(line);
  log.scrollTop = log.scrollHeight;
}
