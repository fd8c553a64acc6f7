import { OpenAIRealtimeWS } from "openai/beta/realtime/ws";  // names: openai/beta/realtime
const ws = new WebSocket("wss://api.openai.com/v1/realtime", ["realtime", "openai-insecure-api-key." + key, "openai-beta.realtime-v1"]);  // names: openai-beta.realtime-v1
ws.onmessage = (m) => {
  const event = JSON.parse(m.data);
  switch (event.type) {
    case "response.text.delta": show(event.delta); break;  // names: response.text.delta
    case 'response.audio_transcript.delta': show(event.delta); break;  // names: response.audio_transcript.delta
    case "response.audio_transcript.done": show(event.transcript); break;  // names: response.audio_transcript.done
    case `conversation.item.created`: keep(event.item); break;  // names: conversation.item.created
  }
};
ws.send(JSON.stringify({ type: "session.update", session: { output_audio_format: "g711_alaw" } }));  // names: output_audio_format, g711_alaw
ws.send(JSON.stringify({ type: "conversation.item.create", item: { type: "message", role: "assistant", content: [{ type: "audio", transcript: "Hi" }] } }));  // names: "type": "audio"
client.updateSession({ voice: "alloy" });  // names: voice
