// Five tasks with Vercel's AI SDK; tasks.mjs says how they are run.
import { openai } from "@ai-sdk/openai";
import { generateText, isStepCount, Output, streamText, tool } from "ai";
import { ABOUT, all, ASKED, CORRECTIONS, MODELS, run, STREAMS, table, values } from "./tasks.mjs";

const model = (api, name) => openai[api](name ?? MODELS[api]);
const answer = async (api, asked) => (await generateText({ model: model(api), ...asked })).text;

run({
  ask: (api, rule, wish) => answer(api, { instructions: rule, prompt: wish }),
  tool: (api, question, owed) => {
    const tax_table = tool({ description: ABOUT, inputSchema: ASKED, execute: table(owed) });
    return answer(api, { prompt: question, tools: { tax_table }, stopWhen: isStepCount(3) });
  },
  schema: async (api, form) => {
    const output = Output.object({ schema: CORRECTIONS, name: "FormCorrections" });
    return values((await generateText({ model: model(api), prompt: form, output })).output);
  },
  stream: (api, question) => all(streamText({ model: model(api, STREAMS[api]), prompt: question }).textStream),
  follow: async (api, question, more) => {
    const messages = [{ role: "user", content: question }];
    const first = await generateText({ model: model(api), messages });
    messages.push(...first.response.messages, { role: "user", content: more });
    return answer(api, { messages });
  },
});
