// Five tasks with OpenAI's Agents SDK for JavaScript; tasks.mjs says how they are run.
import { Agent, OpenAIChatCompletionsModel, OpenAIResponsesModel, run as ask, setTracingDisabled, tool, user } from "@openai/agents";
import OpenAI from "openai";
import { ABOUT, all, ASKED, CORRECTIONS, MODELS, run, STREAMS, table, values } from "./tasks.mjs";

setTracingDisabled(true);  // else it reports each run to OpenAI
const KINDS = { chat: OpenAIChatCompletionsModel, responses: OpenAIResponsesModel };
const agent = (api, more, name) => new Agent({ name: "helper", model: new KINDS[api](new OpenAI(), name ?? MODELS[api]), ...more });
const answer = async (...asked) => (await ask(...asked)).finalOutput;

run({
  ask: (api, rule, wish) => answer(agent(api, { instructions: rule }), wish),
  tool: (api, question, owed) => {
    const tax_table = tool({ name: "tax_table", description: ABOUT, parameters: ASKED, execute: table(owed) });
    return answer(agent(api, { tools: [tax_table] }), question);
  },
  schema: async (api, form) => values(await answer(agent(api, { outputType: CORRECTIONS }), form)),
  stream: async (api, question) => all((await ask(agent(api, {}, STREAMS[api]), question, { stream: true })).toTextStream()),
  follow: async (api, question, more) => {
    const first = await ask(agent(api), question);
    return answer(agent(api), [...first.history, user(more)]);
  },
});
