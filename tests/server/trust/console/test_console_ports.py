"""Test that the console has its port's methods, and that the port needs no library."""

import inspect
import subprocess
import sys

from server.trust.console import console_ports, console_server


def test_what_is_asked_is_offered_with_the_same_parameters() -> None:
    names = [name for name in vars(console_ports.Console) if not name.startswith("_")]
    assert names == ["start", "listen", "pause", "stop", "reading"]
    for name in names:
        theirs, ours = getattr(console_server.Console, name), getattr(console_ports.Console, name)
        assert list(inspect.signature(theirs).parameters) == list(inspect.signature(ours).parameters)


def test_asking_loads_no_library() -> None:
    code = "import sys, server.trust.console.console_ports; print(*sorted({'sqlalchemy', 'fido2', 'jinja2'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
