class Ask {
    void ask() {
        var params = ResponseCreateParams.builder().model("gpt-5.6-sol").maxOutputTokens(500).input("Hello").addTool(weather).build();
    }
    void talk() {
        var heard = RealtimeAudioConfigInput.builder().transcription(written).turnDetection(detection).build();
        var said = RealtimeAudioConfigOutput.builder().speed(1.0).voice("marin").build();
    }
}
