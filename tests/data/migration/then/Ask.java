class Ask {
    void ask() {
        var params = ChatCompletionCreateParams.builder()
                .model(ChatModel.O1) // names: o1
                .maxTokens(500) // names: max_tokens
                .addUserMessage("Hello")
                .addFunctionTool(weather) // names: tools
                .build();
        client.fineTuning().jobs().create(job); // names: fine_tuning.jobs.create
    }
}
