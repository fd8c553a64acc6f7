var options = new ChatOptions { Model = "o1-mini", MaxTokens = 500 }; // names: o1-mini, max_tokens
