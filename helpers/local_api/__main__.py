"""Start the local API from a shell: `python -m helpers.local_api --port 8009`, for curl, Node, Go, Java.

helpers.connect() starts the same with `--child`: it then prints one line of JSON, and ends when its
standard input closes, which the system does when the kernel ends, however it ends.
"""
import argparse
import asyncio
import os
import secrets
import sys
import threading

from . import server


def main():
    parser = argparse.ArgumentParser(prog="python -m helpers.local_api", description="OpenAI's API from recordings, on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=0, help="the port to listen on (default: a free one)")
    parser.add_argument("--key", help="the key to ask for (default: a new one; or DAY9_LOCAL_KEY)")
    parser.add_argument("--child", action="store_true", help="serve the process at the other end of standard input")
    given = parser.parse_args()
    try:
        sock = server.bind(given.port)
    except (OSError, OverflowError) as e:
        sys.exit(f"Cannot listen on 127.0.0.1:{given.port}: {e}. Choose another --port, or leave it out for a free one.")
    key = given.key or os.environ.get("DAY9_LOCAL_KEY") or "day9-" + secrets.token_hex(12)
    try:
        asyncio.run(run(sock, key, given.child))
    except KeyboardInterrupt:
        pass


async def run(sock, key, child):
    state = server.serve(sock, key, pace())
    if child:
        print(server.hello(state), flush=True)
        threading.Thread(target=end_with_parent, daemon=True).start()
    else:
        for file, why in state.answers.library.problems:
            print(f"Left out: data/recordings/{file} {why}", file=sys.stderr)
        print(f"export OPENAI_BASE_URL=http://{server.HOST}:{state.port}/v1 OPENAI_API_KEY={key}\nCtrl-C ends it.", flush=True)
    await asyncio.Event().wait()


def pace():
    """How slowly streams go, from DAY9_PACE: 1 for their own pace, 0 for no waiting at all."""
    try:
        return max(0.0, float(os.environ.get("DAY9_PACE", "1")))
    except ValueError:
        sys.exit(f"DAY9_PACE must be a number, such as 0.5, not {os.environ['DAY9_PACE']!r}.")


def end_with_parent():
    sys.stdin.buffer.read()
    os._exit(0)  # nothing to save: recordings are only read


if __name__ == "__main__":
    main()
