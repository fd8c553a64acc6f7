class Ask {
    void ask() {
        var params = ResponseCreateParams.builder().model("gpt-5.6-sol").maxOutputTokens(500).input("Hello").addTool(weather).build();
    }
}
