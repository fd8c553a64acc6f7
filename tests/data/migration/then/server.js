app.get("/session", async (req, res) => {
  const r = await fetch("https://api.openai.com/v1/realtime/sessions", {  // names: /realtime/sessions
    method: "POST",
    body: JSON.stringify({
      model: "gpt-4o-realtime-preview",  // names: gpt-4o-realtime-preview
      voice: "verse",  // names: voice
    }),
  });
  res.send(await r.json());
});
app.post("/session", async (req, res) => {
  const body = {
    model: req.body.model || "gpt-4o-realtime-preview-2024-12-17",  // names: gpt-4o-realtime-preview-2024-12-17
    voice: req.body.voice || "alloy",  // names: voice
  };
});
const ask = (messages, tools) => client.chat.completions.create({ model: "o1", messages, tools });  // names: o1, tools
