// Six small tasks with OpenAI's Node SDK: `node client.js ask 2024-12-17`. Address and key come from the environment.
import OpenAI from "openai";

const client = new OpenAI();

const schema = {
  type: "object",
  properties: { date: { type: "string" }, weekday: { type: "string" } },
  required: ["date", "weekday"],
  additionalProperties: false,
};
const daysBetweenTool = {
  type: "function",
  function: {
    name: "days_between",
    description: "Days from one date to another.",
    strict: true,
    parameters: {
      type: "object",
      properties: { start: { type: "string" }, end: { type: "string" } },
      required: ["start", "end"],
      additionalProperties: false,
    },
  },
};

const question = (day) => ({ role: "user", content: `Which day of the week was ${day}?` });

async function ask(day) {
  const answer = await client.chat.completions.create({
    model: "o1",
    reasoning_effort: "low",
    messages: [{ role: "developer", content: "Answer with the date and its weekday." }, question(day)],
    response_format: { type: "json_schema", json_schema: { name: "weekday", strict: true, schema } },
  });
  const found = JSON.parse(answer.choices[0].message.content);
  console.log(`${found.date}: ${found.weekday}`);
}

async function stream(day) {
  const chunks = await client.chat.completions.create({ model: "gpt-4o", messages: [question(day)], stream: true });
  for await (const chunk of chunks) process.stdout.write(chunk.choices[0].delta.content ?? "");
  console.log();
}

const daysBetween = ({ start, end }) => (Date.parse(end) - Date.parse(start)) / 86_400_000;

async function tool(start, end) {
  const messages = [{ role: "user", content: `How many days are there from ${start} to ${end}?` }];
  const first = await client.chat.completions.create({ model: "o1", messages, tools: [daysBetweenTool] });
  const asked = first.choices[0].message;
  messages.push(asked);
  for (const call of asked.tool_calls) {
    const days = daysBetween(JSON.parse(call.function.arguments));
    messages.push({ role: "tool", tool_call_id: call.id, content: String(days) });
  }
  const answer = await client.chat.completions.create({ model: "o1", messages, tools: [daysBetweenTool] });
  console.log(answer.choices[0].message.content);
}

async function busy(words) {
  const answer = await client.chat.completions.create({ model: "o1", messages: [{ role: "user", content: words }] });
  console.log(answer.choices[0].message.content);
}

async function wrong(temperature) {
  try {
    await client.chat.completions.create({ model: "o1", messages: [question("2024-12-17")], temperature: Number(temperature) });
  } catch (e) {
    if (!(e instanceof OpenAI.APIError)) throw e;
    console.log(`${e.constructor.name}: ${e.status} ${e.code}, param ${e.param}`);
  }
}

async function late(seconds) {
  try {
    await client.chat.completions.create({ model: "o1", messages: [question("2024-12-17")] }, { timeout: 1000 * seconds });
  } catch (e) {
    if (!(e instanceof OpenAI.APIConnectionTimeoutError)) throw e;
    console.log(e.constructor.name);
  }
}

const [task, ...words] = process.argv.slice(2);
await { ask, stream, tool, busy, wrong, late }[task](...words);
