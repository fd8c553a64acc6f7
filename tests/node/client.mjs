// OpenAI's own Node SDK, driven line by line: a call as JSON on standard input, its outcome as JSON on standard output.
//   {"call": "chat.completions.create", "with": {...}}  ->  {"answer": {...}} | {"chunks": [...]} | {"error": {...}}
// The address and the key come from OPENAI_BASE_URL and OPENAI_API_KEY, as in anybody's program.
import readline from "node:readline";
import OpenAI from "openai";

const client = new OpenAI();

async function outcome({ call, with: body }) {
  const path = call.split(".");
  const method = path.pop();
  const home = path.reduce((at, name) => at[name], client);
  try {
    const answer = await home[method](body);
    if (body?.stream) {
      const chunks = [];
      for await (const chunk of answer) chunks.push(chunk);
      return { chunks };
    }
    delete answer.output_text; // the SDK's own addition, as in Python
    return { answer: call === "models.list" ? { object: answer.object, data: answer.data } : answer };
  } catch (e) {
    return { error: { class: e.constructor.name, status: e.status, code: e.code, message: e.message, request_id: e.requestID } };
  }
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await outcome(JSON.parse(line))));
}
