// OpenAI's own Node SDK over a WebSocket: the same conversation by its events. It makes wss: of every
// address; the plain connection that it is given here is what a program needs for a local API.
import fs from "node:fs";
import net from "node:net";
import OpenAI from "openai";
import { OpenAIRealtimeWS } from "openai/realtime/ws";

const files = JSON.parse(fs.readFileSync(0, "utf8"));
const came = { called: [], interrupted: 0, errors: [], history: [] };
const options = { createConnection: ({ port }) => net.connect({ host: "127.0.0.1", port }) };
const line = new OpenAIRealtimeWS({ model: "gpt-realtime-2.1", options }, new OpenAI());
const once = type => new Promise(found => { const got = event => (line.off(type, got), found(event)); line.on(type, got); });
const say = clip => {
  const sound = fs.readFileSync(files[clip]);
  for (let at = 0; at < sound.length; at += 9600) line.send({ type: "input_audio_buffer.append", audio: sound.subarray(at, at + 9600).toString("base64") });
};
line.on("error", error => came.errors.push(error.message));
line.on("conversation.item.input_audio_transcription.completed", ({ transcript }) => came.history.push(["user", transcript]));
line.on("response.output_audio_transcript.done", ({ transcript }) => came.history.push(["assistant", transcript]));
line.on("conversation.item.truncated", () => { came.interrupted += 1; });

await once("session.created");
const tax = { type: "integer" };
const parameters = { type: "object", properties: { year: tax, filing_status: { type: "string", enum: ["single"] }, taxable_income: tax } };
const tools = [{ type: "function", name: "tax_for", parameters }];
line.send({ type: "session.update", session: { type: "realtime", tools, audio: { input: { transcription: { model: "gpt-4o-transcribe" } } } } });
await once("session.updated");
say("user-tax");
const call = (await once("response.done")).response.output[0];
came.called.push(JSON.parse(call.arguments));
line.send({ type: "conversation.item.create", item: { type: "function_call_output", call_id: call.call_id, output: "41" } });
line.send({ type: "response.create" });
await once("response.done");
say("user-story");
const { item_id } = await once("response.output_audio.delta");
say("user-stop");
await once("input_audio_buffer.speech_started");
line.send({ type: "conversation.item.truncate", item_id, content_index: 0, audio_end_ms: 0 });
while (came.history.length < 6 || !came.interrupted) await new Promise(on => setTimeout(on, 20));
line.close();
console.log(JSON.stringify(came));
