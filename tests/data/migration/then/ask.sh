#!/bin/sh
curl https://api.openai.com/v1/chat/completions -d '{
  "model": "o1-mini",
  "max_tokens": 500,
  "messages": []
}'
curl -X POST "https://api.openai.com/v1/realtime?model=gpt-4o-realtime-preview-2024-10-01" -H "Content-Type: application/sdp"  # names: POST /v1/realtime, gpt-4o-realtime-preview-2024-10-01
curl https://api.openai.com/v1/fine_tuning/jobs -d "{\"model\": \"gpt-4o-mini-2024-07-18\"}"  # names: /fine_tuning/jobs, gpt-4o-mini-2024-07-18
curl https://api.openai.com/v1/assistants -H "OpenAI-Beta: assistants=v2"  # names: /v1/assistants, OpenAI-Beta: assistants=v2
curl https://api.openai.com/v1/threads  # names: /v1/threads
git clone https://github.com/openai/openai-realtime-embedded-sdk  # names: openai-realtime-embedded-sdk
python chat.py --model o1-mini  # names: o1-mini
curl https://api.openai.com/v1/evals  # names: /v1/evals
