package main

func ask() {
	client.Chat.Completions.New(ctx, openai.ChatCompletionNewParams{
		Model:     openai.F(openai.ChatModelO1_2024_12_17), // names: o1-2024-12-17
		MaxTokens: openai.Int(500), // names: max_tokens
	})
	client.Chat.Completions.New(ctx, openai.ChatCompletionNewParams{
		Model:     openai.ChatModelO1Mini, // names: o1-mini
		MaxTokens: openai.Int(500), // names: max_tokens
	})
	client.FineTuning.Jobs.New(ctx, params) // names: fine_tuning.jobs.create
}
