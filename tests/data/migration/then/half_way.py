client.responses.create(
    model="gpt-5.6-sol",
    messages=[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "u"}}]}],  # names: messages, "type": "image_url"
    tools=[{"type": "function", "function": {"name": "f"}}],  # names: function
    reasoning_effort="low",  # names: reasoning_effort
    max_completion_tokens=5,  # names: max_completion_tokens
    response_format={"type": "json_object"},  # names: response_format
    max_tokens=5,  # names: max_tokens
    text={"format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}}},  # names: json_schema
)
client.responses.create(**{"model": "gpt-5.6-sol", "messages": []})  # names: messages
client.responses.create(model="gpt-5.6-sol", prompt={"id": "pmpt_1", "variables": {"city": "Rome"}})  # names: prompt
client.responses.create(model="gpt-5.6-sol", input=[{"tool_call_id": "call_1"}])  # names: tool_call_id
client.evals.create(name="weekdays", data_source_config={}, testing_criteria=[])  # names: evals.create
