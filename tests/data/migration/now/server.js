import { OpenAIRealtimeWS } from "openai/realtime/ws";
const r = await fetch("https://api.openai.com/v1/realtime/client_secrets", {
  method: "POST", body: JSON.stringify({ session: { type: "realtime", model: "gpt-realtime-2.1", audio: { output: { voice: "marin" } } } }),
});

async function ask() {
  const model = "gpt-5.6-sol"
  const messages = [{ role: "user", content: "Hi" }]
  const tools = [{ type: "function", name: "weather", parameters: {} }]
  return client.responses.create({ model, input: messages, tools })
}
