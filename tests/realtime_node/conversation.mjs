// One conversation through the Agents SDK, the same over both of its transports: a question that calls
// a function, and a story that is interrupted. Returns what came of it, as JSON can hold it.
//   agents: the SDK; transport: one of its own; say(clip): says a clip of data/audio, and ends with it
export async function conversation(agents, transport, say, options) {
  const { RealtimeAgent, RealtimeSession, tool } = agents;
  const came = { called: [], interrupted: 0, errors: [] };
  const tax = tool({
    name: "tax_for",
    description: "The federal income tax.",
    strict: true,
    parameters: {
      type: "object",
      properties: { year: { type: "integer" }, filing_status: { type: "string", enum: ["single", "married_jointly"] }, taxable_income: { type: "integer" } },
      required: ["year", "filing_status", "taxable_income"],
      additionalProperties: false,
    },
    execute: async given => { came.called.push(given); return "41"; },
  });
  const agent = new RealtimeAgent({ name: "helper", instructions: "Be brief.", tools: [tax] });
  const session = new RealtimeSession(agent, { transport, model: "gpt-realtime-2.1" });
  const events = {};
  const once = (name, count = 1) => new Promise((found, late) => {
    const seen = () => (events[name] ?? 0) >= count && (clearInterval(looks), clearTimeout(ends), found());
    const looks = setInterval(seen, 20);
    const ends = setTimeout(() => (clearInterval(looks), late(new Error(`no ${name} ${count}: ${JSON.stringify({ events, came })}`))), 60_000);
  });
  session.on("transport_event", ({ type }) => { events[type] = (events[type] ?? 0) + 1; });
  session.on("error", ({ error }) => came.errors.push(error?.message ?? error?.error?.message ?? JSON.stringify(error)));
  try {
    await session.connect(options);
    await say("user-tax", session);
    await once("response.done", 2);
    await say("user-story", session);
    await once("response.created", 3);
    await new Promise(on => setTimeout(on, 700));  // of the story
    await say("user-stop", session);
    await once("response.created", 4);
    await once("response.done", 4);
    await new Promise(on => setTimeout(on, 300));  // until the history has it
  } finally {
    came.history = session.history.filter(item => item.type === "message").map(item => [item.role, item.content.map(part => part.transcript ?? part.text ?? "").join("")]);
    came.interrupted = events["conversation.item.truncated"] ?? 0;
    session.close();
  }
  return came;
}
