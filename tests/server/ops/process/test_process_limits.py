"""What the process may do, tried in a process of its own."""

import subprocess
import sys

TRIED = """
import ctypes, resource
from server.ops.process import process_limits as allowance
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200))
print(allowance.raise_descriptors(), resource.getrlimit(resource.RLIMIT_NOFILE))
libc = ctypes.CDLL(None)
before = libc.prctl(3, 0, 0, 0, 0)  # PR_GET_DUMPABLE
allowance.forbid_dumps()
print(before, libc.prctl(3, 0, 0, 0, 0))
"""


def test_the_soft_limit_becomes_the_hard_one_and_nothing_may_be_dumped() -> None:
    said = subprocess.run([sys.executable, "-c", TRIED], capture_output=True, text=True, check=True)
    assert said.stdout.splitlines() == ["200 (200, 200)", "1 0"]
