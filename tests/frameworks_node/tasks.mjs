// What the programs beside this file share: the models, a form of answer, and how they are run. Each line
// of their input is a task as JSON: an API, the task's name, its words. For each they print a line of JSON.
// Address and key come from OPENAI_BASE_URL and OPENAI_API_KEY.
import readline from "node:readline";
import { z } from "zod";

export const MODELS = { chat: "o1", responses: "gpt-5.6-sol" };
export const STREAMS = { chat: "gpt-4o", responses: "gpt-5.6-sol" };  // o1 did not stream at its launch

export const ABOUT = "Federal income tax in dollars, from the IRS Tax Table of that year.";
// z.int() would write bounds beside it, which a strict schema for o1 may not have (data/schema_rules.csv).
const whole = z.number().meta({ type: "integer" });
export const ASKED = z.object({ year: whole, filing_status: z.string(), taxable_income: whole });
export const CORRECTIONS = z.object({
  corrections: z.array(z.object({ reason: z.string(), location: z.string(), old_value: whole, new_value: whole })),
});

// {line: its right value} of a form's corrections.
export const values = found => Object.fromEntries(found.corrections.map(c => [c.location, c.new_value]));

// All pieces of a stream.
export async function all(stream) {
  const pieces = [];
  for await (const piece of stream) pieces.push(piece);
  return pieces;
}

// The function of a tool that knows what is owed by {"year filing_status taxable_income": dollars}.
export const table = owed => ({ year, filing_status, taxable_income }) => owed[`${year} ${filing_status} ${taxable_income}`];

export async function run(tasks) {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [api, task, ...words] = JSON.parse(line);
    let said;
    try {
      said = { said: await tasks[task](api, ...words) };
    } catch (error) {
      said = { error: `${error.name}: ${error.message}` };
    }
    console.log(JSON.stringify(said));
  }
}
