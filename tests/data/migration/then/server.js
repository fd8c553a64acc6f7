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
