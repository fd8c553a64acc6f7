@app.get("/session")
def session():
    made = client.beta.realtime.sessions.create(model="gpt-4o-mini-realtime-preview-2024-12-17", voice="verse")  # names: beta.realtime.sessions.create, gpt-4o-mini-realtime-preview-2024-12-17, voice
    httpx.post(BASE + "/v1/realtime/transcription_sessions")  # names: /realtime/transcription_sessions
    return made.client_secret.value  # names: client_secret.value
