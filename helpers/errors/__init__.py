"""What a notebook shows in the place of a stack trace. Nothing here is called by a cell."""
