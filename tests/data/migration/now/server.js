import { OpenAIRealtimeWS } from "openai/realtime/ws";
const r = await fetch("https://api.openai.com/v1/realtime/client_secrets", {
  method: "POST", body: JSON.stringify({ session: { type: "realtime", model: "gpt-realtime-2.1", audio: { output: { voice: "marin" } } } }),
});
