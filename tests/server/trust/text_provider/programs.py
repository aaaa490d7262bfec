"""Hold programs of providers, good and bad, as command lines."""

import shutil
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[4]
MANUAL: Final = ROOT / "docs/operate/provider.md"
PYTHON: Final = shutil.which("python3", path="/usr/bin:/bin:/usr/local/bin") or "python3"  # every user may run it


def manual_example() -> str:
    """Return the program of the manual."""
    return MANUAL.read_text().split("```python\n", 1)[1].split("```", 1)[0]


def command(code: str) -> tuple[str, ...]:
    """Return the command that runs a program."""
    return (PYTHON, "-c", code)


READY = """
import json, os, sys, time
def answer(found=()):
    asked = json.loads(sys.stdin.readline())
    print(json.dumps({"id": asked["id"], "found": list(found)}), flush=True)
    return asked
"""
HANGS = READY + "answer()\nsys.stdin.readline()\ntime.sleep(3600)"
EXITS = READY + "answer()\nsys.stdin.readline()\nsys.exit(3)"
GARBAGE = READY + "answer()\nsys.stdin.readline()\nfor _ in range(64): print('no answer', flush=True)\ntime.sleep(3600)"
GIGABYTE = (
    READY
    + "answer()\nsys.stdin.readline()\nfor _ in range(1 << 10): sys.stdout.write('x' * (1 << 20))\ntime.sleep(3600)"
)
FOREIGN = (
    READY
    + "answer()\nsys.stdin.readline()\nfor n in range(64): print(json.dumps({'id': 10**6 + n, 'found': []}), flush=True)\ntime.sleep(3600)"
)
LIES = (
    READY
    + "answer()\nwhile True: answer([{'class': 'hate', 'confidence': 1, 'words': 'never said'}, {'class': 'threat', 'confidence': 0.2}])"
)
# Says by its findings which of its tries fail: confidence 1 for a refused one.
TRIES = (
    READY
    + """
import socket, threading
def refused(what):
    try:
        what()
    except OSError:
        return 1
    return 0
def fork():
    if os.fork() == 0:
        os._exit(0)
def run_thread():
    ran = threading.Thread(target=int)
    ran.start()
    ran.join()
answer()
tries = {
    "hate": socket.socket, "threat": fork, "money": lambda: open("/dev/shm/provider-was-here", "w"), "link": lambda: os.kill(os.getppid(), 0),
    "contact": lambda: os.unlink("/dev/shm/provider-was-here"), "private": lambda: os.mkdir("/dev/shm/provider-was-here"),
    "self-harm": lambda: (open("/etc/passwd").read(), run_thread()),
}
while True:
    answer([{"class": name, "confidence": refused(what)} for name, what in tries.items()])
"""
)
