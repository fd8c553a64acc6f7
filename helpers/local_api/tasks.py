"""What goes on beside the requests: streams, calls, forwarded answers."""

import asyncio


class Tasks:
    """The tasks that run: asyncio holds its own only weakly."""

    def __init__(self):
        self.running = set()

    def keep(self, coroutine):
        """Run a coroutine to its end. Returns its task."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self.running.add(task)
        task.add_done_callback(self.running.discard)
        return task
