client = OpenAI()
tools = [{"type": "function", "name": "weather", "parameters": {}}]
client.responses.create(model="gpt-5.6-sol", reasoning={"effort": "low"}, max_output_tokens=500, input="Hello", tools=tools,
                        text={"format": {"type": "json_schema", "name": "a", "schema": {}}})
client.chat.completions.create(model="gpt-5.6-sol", reasoning_effort="none", messages=[], tools=tools)
client.chat.completions.create(model="gpt-5.6-sol", reasoning_effort="low", messages=[], max_completion_tokens=9, response_format={"type": "json_object"})
client.chat.completions.create(model="llama3", max_tokens=500, temperature=0.2, messages=[])
client.chat.completions.create(model="gpt-audio-1.5", modalities=["text", "audio"], audio={"voice": "alloy", "format": "pcm16"}, messages=[])
client.audio.speech.create(model="tts", voice="alloy", input="Hi")
options = ["o1", "o3"]
secret = cookies["client_secret"]
MODEL = "gpt-5.6-sol"
messages = [{"role": "user", "content": "Hi"}]
client.responses.create(model=MODEL, input=messages, tools=tools, metadata={"messages": "1", "function": "f"},
                        text={"format": {"type": "json_schema", "name": "a", "strict": True, "schema": {
                            "type": "object", "properties": {"messages": {"type": "string"}, "function": {"type": "string"}, "prompt": {"type": "string"}}}}})
train(model="Qwen", method="dpo")
