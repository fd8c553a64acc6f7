curl https://api.openai.com/v1/responses -d '{"model": "gpt-5.6-sol", "max_output_tokens": 500, "input": "Hello"}'
