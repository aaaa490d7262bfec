"""Test the jail of processes that read untrusted input: what each is refused, as root and as another user."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from server.ops.process import process_jail as module

ROOT = Path(module.__file__).parents[3]
USERS = (0, 65534) if os.geteuid() == 0 else (os.geteuid(),)
PYTHON = Path(sys.executable).resolve()
# A Python in root's home, as a version manager puts it, can be started by no other user.
EVERYBODYS = all(place.stat().st_mode & 1 for place in (PYTHON, *PYTHON.parents))
CODE = """
import json, os, resource, socket, subprocess, sys, threading
sys.path.insert(0, {root!r})
from server.ops.process import process_jail as jails
from server.ops.process.process_jail import Jail, client_jail, confine, keeper_jail, picture_jail, program_jail
nobody = jails.NOBODY if os.geteuid() == 0 else None  # as which a program runs that a keeper has started
keeps = subprocess.Popen(["cat"], stdin=subprocess.PIPE, user=nobody)  # ends with this process
child = keeps.pid
{before}
try:
    import ctypes
    without = confine({jail})
except OSError as error:
    without = str(error)
def tried(what):
    try:
        what()
    except OSError as error:
        return "refused" if error.errno == 1 else "done"
    except (RuntimeError, ValueError):  # of a thread, of a limit
        return "refused"
    return "done"
def thread():
    one = threading.Thread(target=int)
    one.start()
    one.join()
def fork():
    if os.fork() == 0:
        os._exit(0)
found = {{
    "socket": tried(socket.socket), "fork": tried(fork), "exec": tried(lambda: os.execv("/bin/true-that-is-not", ["true"])),
    "write": tried(lambda: os.open("/tmp/jailed", os.O_WRONLY | os.O_CREAT)), "unlink": tried(lambda: os.unlink("/tmp/jailed")),
    "kill another": tried(lambda: os.kill(os.getppid(), 0)), "read": tried(lambda: os.close(os.open("/etc/passwd", os.O_RDONLY))),
    "thread": tried(thread), "end the child": tried(lambda: os.kill(child, 9)),
    "limits": tried(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1, 1))),
    "pin another": tried(lambda: os.sched_setaffinity(child, os.sched_getaffinity(0))),
}}
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line) if found["read"] == "done" else {{}}
os.write(1, json.dumps({{
    "without": without, "found": found, "policy": os.sched_getscheduler(0) if {replaced} else None, "capabilities": status.get("CapEff", "0"),
    "interfaces": status and open("/proc/self/net/dev").read().count(":") or 0,
}}).encode())
"""


# As the unit of systemd (`SystemCallFilter=~@privileged`, `RestrictNamespaces=yes`): calls that need privileges fail.
MANAGED = """
import ctypes
from server.ops.process import syscall_filter as filters
library = filters._Library(ctypes.CDLL("libseccomp.so.2"))
made = library.begin(filters._ALLOW)
for call in ("capset", "unshare", "setresuid", "setgroups"):
    assert library.add(made, filters._REFUSE, library.number(call), 0, (filters._Condition * 0)()) == 0
ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)  # no new privileges
assert library.load(made) == 0
"""
# As root of a container without CAP_SYS_ADMIN, which may enter a namespace of its own as each user may.
OWNER = """
import ctypes, os, sys
sys.path.insert(0, {root!r})
from server.ops.process import process_jail as jails
jails._drop_capabilities(ctypes.CDLL(None, use_errno=True), [one for one in range(32) if one != 21])
without = jails.confine(jails.program_jail(os.getppid(), 2 << 30))
try:
    os.close(os.open({path!r}, os.O_RDONLY))
except PermissionError:
    os.write(1, b"refused " + ",".join(without).encode())
"""


def result(jail: str, user: int, replaced: bool = False, before: str = "") -> dict[str, object]:
    """Return what a process tried in a jail, run by a user. `before`: statements that it begins with."""
    if user != os.geteuid() and not EVERYBODYS:
        pytest.skip(f"no other user may run {PYTHON}")
    code = CODE.format(root=str(ROOT), jail=jail, replaced=replaced, before=before)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, timeout=120, cwd="/", user=user, group=user,
        env={"PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    found: dict[str, object] = json.loads(done.stdout)
    return found


ALL = (
    "socket",
    "fork",
    "exec",
    "write",
    "unlink",
    "kill another",
    "read",
    "thread",
    "end the child",
    "limits",
    "pin another",
)


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize(
    ("jail", "keeps"),
    [
        ("picture_jail(16, 900 << 20)", set()),
        ("jails.SCREENING", {"read"}),
        ("keeper_jail(child, 16)", {"end the child"}),
        ("client_jail(os.getppid(), 512 << 20)", {"read", "socket"}),
    ],
)
def test_each_process_can_do_its_work_and_nothing_else(jail: str, keeps: set[str], user: int) -> None:
    found = result(jail, user)
    assert found["without"] == []
    tried = found["found"]
    assert isinstance(tried, dict)
    assert {name for name, one in tried.items() if one == "done"} == keeps
    assert set(tried) == set(ALL)
    assert int(str(found["capabilities"]).strip(), 16) & ~0b110 == 0  # of root, which reads files, these alone


@pytest.mark.parametrize("user", USERS)
def test_a_program_of_the_operator_reads_files_and_has_threads_and_nothing_else(user: int) -> None:
    found = result("program_jail(os.getppid(), 2 << 30)", user, replaced=True)
    assert found["without"] == []
    tried = found["found"]
    assert isinstance(tried, dict)
    assert {name for name, one in tried.items() if one == "done"} == {
        "read",
        "thread",
        "exec",
    }  # it takes the place of this one
    assert found["policy"] == os.SCHED_IDLE
    assert int(str(found["capabilities"]).strip(), 16) == 0


@pytest.mark.parametrize(
    "jail", ["picture_jail(16, 900 << 20)", "jails.SCREENING", "program_jail(os.getppid(), 2 << 30)"]
)
def test_a_service_manager_that_refuses_privileged_calls_stops_no_process(jail: str) -> None:
    found = result(jail, 65534 if os.geteuid() == 0 else os.geteuid(), jail.startswith("program"), MANAGED)
    assert found["without"] == []
    tried = found["found"]
    assert isinstance(tried, dict)
    assert tried["socket"] == tried["write"] == tried["fork"] == "refused"


@pytest.mark.skipif(os.geteuid() != 0, reason="root's files are refused to other users anyway")
def test_a_program_of_a_root_without_privileges_reads_none_of_its_files(tmp_path: Path) -> None:
    path = Path("/dev/shm") / f"{os.getpid()}-{tmp_path.name}"  # noqa: S108 - in a folder that all may enter
    path.touch(0o600)
    try:
        done = subprocess.run(
            [sys.executable, "-c", OWNER.format(root=str(ROOT), path=str(path))],
            capture_output=True, check=True, timeout=120, cwd="/",
        )  # fmt: skip
    finally:
        path.unlink()
    assert done.stdout == b"refused "


def test_a_process_whose_parent_has_ended_does_not_begin() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from server.ops.process.process_jail import *\nconfine(client_jail(1 << 22, 0))"],
        cwd=ROOT, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert b"the parent has ended" in done.stderr
