#!/usr/bin/env bash
# Six small tasks with curl, and jq for the JSON: `bash client.sh ask 2024-12-17`. Address and key come from the environment.
set -euo pipefail

post() {
  curl -q --silent --show-error --no-buffer "$OPENAI_BASE_URL/chat/completions" \
    -H "Authorization: Bearer $OPENAI_API_KEY" -H "Content-Type: application/json" --data-binary @- "$@"
}

tools='[{"type": "function", "function": {
  "name": "days_between", "description": "Days from one date to another.", "strict": true,
  "parameters": {"type": "object", "properties": {"start": {"type": "string"}, "end": {"type": "string"}},
                 "required": ["start", "end"], "additionalProperties": false}}}]'

ask() {
  post <<JSON | jq -r '.choices[0].message.content | fromjson | "\(.date): \(.weekday)"'
{"model": "o1", "reasoning_effort": "low",
 "messages": [{"role": "developer", "content": "Answer with the date and its weekday."},
              {"role": "user", "content": "Which day of the week was $1?"}],
 "response_format": {"type": "json_schema", "json_schema": {"name": "weekday", "strict": true, "schema": {
   "type": "object", "properties": {"date": {"type": "string"}, "weekday": {"type": "string"}},
   "required": ["date", "weekday"], "additionalProperties": false}}}}
JSON
}

stream() {
  post <<JSON | sed -nu 's/^data: {/{/p' | jq -j --unbuffered '.choices[0].delta.content // ""'
{"model": "gpt-4o", "stream": true, "messages": [{"role": "user", "content": "Which day of the week was $1?"}]}
JSON
  echo
}

tool() {
  messages=$(jq -n --arg from "$1" --arg to "$2" \
    '[{role: "user", content: "How many days are there from \($from) to \($to)?"}]')
  asked=$(jq -n --argjson messages "$messages" --argjson tools "$tools" '{model: "o1", $messages, $tools}' |
    post | jq '.choices[0].message')
  # one more message for each call: its id, and the days between its two dates
  results=$(jq 'def day: strptime("%Y-%m-%d") | mktime / 86400;
    [.tool_calls[] | {role: "tool", tool_call_id: .id,
                      content: (.function.arguments | fromjson | (.end | day) - (.start | day) | tostring)}]' <<<"$asked")
  jq -n --argjson messages "$messages" --argjson asked "$asked" --argjson results "$results" --argjson tools "$tools" \
    '{model: "o1", messages: ($messages + [$asked] + $results), $tools}' | post | jq -r '.choices[0].message.content'
}

busy() {
  jq -n --arg words "$1" '{model: "o1", messages: [{role: "user", content: $words}]}' | post |
    jq -r '.choices[0].message.content // "HTTP error: \(.error.code)"'
}

wrong() {
  post --write-out '\n%{http_code}' <<JSON | jq -rs '"HTTP error: \(.[1]) \(.[0].error.code), param \(.[0].error.param)"'
{"model": "o1", "temperature": $1, "messages": [{"role": "user", "content": "Which day of the week was 2024-12-17?"}]}
JSON
}

late() {
  post --max-time "$1" 2>/dev/null <<JSON || echo "curl's exit code $?"
{"model": "o1", "messages": [{"role": "user", "content": "Which day of the week was 2024-12-17?"}]}
JSON
}

"$@"
