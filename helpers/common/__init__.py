"""What all rooms stand on: no fact, no notebook, no server."""
