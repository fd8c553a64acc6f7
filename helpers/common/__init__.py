"""What all rooms stand on: no fact, no notebook, no server. It imports from no other room."""
