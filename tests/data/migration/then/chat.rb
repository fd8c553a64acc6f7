client.chat(parameters: { model: "o1", max_tokens: 500, messages: [] }) # names: o1, max_tokens
