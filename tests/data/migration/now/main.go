package main

// client.Chat.Completions.New with openai.ChatModelO1 was the call of 2024
func ask() {
	client.Responses.New(ctx, responses.ResponseNewParams{Model: "gpt-5.6-sol", MaxOutputTokens: openai.Int(500), Tools: tools})
}

func talk() realtime.RealtimeAudioConfigParam {
	return realtime.RealtimeAudioConfigParam{
		Input:  realtime.RealtimeAudioConfigInputParam{TurnDetection: detection},
		Output: realtime.RealtimeAudioConfigOutputParam{Voice: "marin"},
	}
}
