module OpenAI
  def self.assistants = get("/assistants?limit=5") # names: /v1/assistants
  def self.run(id) = post("/threads/#{id}/runs") # names: /v1/threads
end
