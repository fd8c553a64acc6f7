// The Agents SDK over a WebSocket: sounds are read from the files of PCM16 that standard input names, {clip: path}.
import fs from "node:fs";
import * as agents from "@openai/agents-realtime";
import { conversation } from "./conversation.mjs";

const files = JSON.parse(fs.readFileSync(0, "utf8"));
const url = process.env.OPENAI_BASE_URL.replace("http", "ws") + "/realtime?model=gpt-realtime-2.1";
const say = async (clip, session) => {
  const sound = fs.readFileSync(files[clip]);
  for (let at = 0; at < sound.length; at += 9600) session.sendAudio(new Uint8Array(sound.subarray(at, at + 9600)).buffer);
};
const came = await conversation(agents, new agents.OpenAIRealtimeWebSocket(), say, { apiKey: process.env.OPENAI_API_KEY, url });
console.log(JSON.stringify(came));
