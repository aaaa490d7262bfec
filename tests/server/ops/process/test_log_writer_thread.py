"""Nobody waits for standard error: a file that takes nothing costs lines, and they are counted."""

import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.ops.process.log_writer_thread import LogSink

BARE = {name: value for name, value in os.environ.items() if not name.startswith("SERENDIP_")}


def told(count: int, error: str) -> bytes:
    return f"missing {count} {error}\n".encode()


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """(read end, write end) of a pipe of one page."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    yield reader, writer
    os.close(reader)


def test_lines_come_out_whole_and_in_order(pipe: tuple[int, int]) -> None:
    sink = LogSink(pipe[1], told)
    for number in range(50):
        sink.write(b"%d\n" % number)
    assert sink.flush(10)
    assert os.read(pipe[0], 4096).split() == [b"%d" % number for number in range(50)]
    sink.close()
    os.close(pipe[1])


@pytest.mark.parametrize("nonblocking", [False, True])
def test_a_reader_that_does_not_read_costs_what_is_beyond_the_bound_and_is_told_when_it_reads(
    pipe: tuple[int, int], nonblocking: bool
) -> None:
    os.set_blocking(pipe[1], not nonblocking)
    sink = LogSink(pipe[1], told, lines=100)
    for _ in range(1000):
        sink.write(b"x" * 999 + b"\n")
    lost = sink.dropped
    assert 1000 - 100 - 205 <= lost < 1000  # the queue's bound, and two batches and four lines at the most on their way
    assert not sink.flush(0)
    got = bytearray()

    def read() -> None:
        while data := os.read(pipe[0], 65536):
            got.extend(data)

    reading = threading.Thread(target=read)
    reading.start()
    assert sink.flush(10)
    sink.write(b"last\n")
    assert sink.flush(10)
    sink.close()
    os.close(pipe[1])
    reading.join(10)
    lines = bytes(got).splitlines()
    assert lines.count(b"x" * 999) == 1000 - lost
    assert sum(int(line.split()[1]) for line in lines if line.startswith(b"missing")) == lost
    assert lines[-1] == b"last"


def test_what_a_full_disk_took_is_counted_and_the_error_is_named_when_there_is_room_again(
    pipe: tuple[int, int],
) -> None:
    target = os.open("/dev/full", os.O_WRONLY)
    sink = LogSink(target, told)
    for _ in range(3):
        sink.write(b"lost\n")
        assert sink.flush(10)
    assert sink.dropped == 3
    os.dup2(pipe[1], target)
    assert os.read(pipe[0], 4096) == b"missing 3 ENOSPC\n", "also if nothing more is logged"
    sink.write(b"next\n")
    assert sink.flush(10)
    assert os.read(pipe[0], 4096) == b"next\n"
    sink.close()
    os.close(target)
    os.close(pipe[1])


def test_a_line_of_which_a_full_disk_took_the_beginning_spoils_no_later_line(tmp_path: Path) -> None:
    """A limit of the file's size takes a part of a write and then refuses, as a disk does that becomes full."""
    done = subprocess.run(
        [sys.executable, "-c", TORN, str(tmp_path / "log")],
        env=BARE,
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "log").read_text().splitlines() == ["whole", "to", "missing 1 EFBIG", "next", "last"]


TORN = """
import os, resource, sys
from server.ops.process.log_writer_thread import LogSink

target = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
sink = LogSink(target, lambda count, error: f"missing {count} {error}\\n".encode())
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (8, hard))
for line in (b"whole\\n", b"torn\\n"):
    sink.write(line)
    assert sink.flush(10)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
for line in (b"next\\n", b"last\\n"):
    sink.write(line)
    assert sink.flush(10)
"""


def test_what_is_closed_of_the_three_standard_descriptors_is_held() -> None:
    program = """
import os
from server.ops.process.log_writer_thread import hold_standard_descriptors
os.close(0), os.close(2)
hold_standard_descriptors()
first = os.open("/dev/zero", os.O_RDONLY)
print(first > 2, os.readlink("/proc/self/fd/0"), os.readlink("/proc/self/fd/2"))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], env=BARE, stdout=subprocess.PIPE, text=True, timeout=30, check=False
    )
    assert done.stdout.split() == ["True", "/dev/null", "/dev/null"]
