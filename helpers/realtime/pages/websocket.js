export async function connect(api, secret, sound, player) {
  const context = new AudioContext({sampleRate: 24000});  // the browser resamples, both ways
  await context.audioWorklet.addModule("websocket_worklet.js");
  const address = `${api.replace(/^http/, "ws")}/realtime`;
  const socket = new WebSocket(address, ["realtime", `openai-insecure-api-key.${secret}`]);
  const events = new EventTarget();
  const send = event => socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify(event));
  await new Promise((opened, failed) => {
    socket.onopen = opened;
    socket.onerror = () => failed(new Error("The WebSocket could not be opened."));
  });

  // up: microphone → 16-bit samples → base64 → one event every 40 ms
  const microphone = new AudioWorkletNode(context, "collector", {numberOfOutputs: 0});
  microphone.port.onmessage = ({data}) => send({type: "input_audio_buffer.append", audio: encode(data)});
  context.createMediaStreamSource(sound).connect(microphone);

  // down: each delta is queued behind the one before it
  const speaker = context.createMediaStreamDestination();
  player.srcObject = speaker.stream;
  let said = null;  // the answer that plays: {item, begun, end, sources}
  const play = ({item_id, delta}) => {
    const samples = decode(delta);
    const buffer = context.createBuffer(1, samples.length, context.sampleRate);
    buffer.copyToChannel(samples, 0);
    const source = new AudioBufferSourceNode(context, {buffer});
    source.connect(speaker);
    if (said?.item !== item_id) said = {item: item_id, begun: 0, end: 0, sources: []};
    const at = Math.max(context.currentTime, said.end);
    said.begun ||= at;
    said.end = at + buffer.duration;
    said.sources.push(source);
    source.start(at);
  };

  // an interruption: fall silent, and tell the server how much was heard
  const interrupt = () => {
    if (!said || context.currentTime >= said.end) return;
    for (const source of said.sources) source.stop();
    send({type: "conversation.item.truncate", item_id: said.item, content_index: 0,
          audio_end_ms: Math.max(0, Math.round(1000 * (context.currentTime - said.begun)))});
    said = null;
  };

  socket.onmessage = ({data}) => {
    const event = JSON.parse(data);
    if (event.type === "response.output_audio.delta") play(event);
    if (event.type === "input_audio_buffer.speech_started") interrupt();
    events.dispatchEvent(new MessageEvent("message", {data}));
  };
  socket.onclose = () => events.dispatchEvent(new Event("close"));
  return {events, close: () => { socket.close(); context.close(); }};
}

function encode(floats) {
  const samples = Int16Array.from(floats, x => Math.max(-1, Math.min(1, x)) * 32767);
  return btoa(String.fromCharCode(...new Uint8Array(samples.buffer)));
}

function decode(base64) {
  const bytes = Uint8Array.from(atob(base64), letter => letter.charCodeAt(0));
  return Float32Array.from(new Int16Array(bytes.buffer), x => x / 32768);
}
