"""`deploy/flood.nft` as shipped, in a network of the test's own: it drops whom an operator names and nobody else, and is gone by one command."""

import os
import re
import socket
import subprocess
import sys
import time

import pytest

from tests.deploy.proxies import DEPLOY

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root has a network and a firewall of its own"),
]
FILE = DEPLOY / "flood.nft"
NONE = 77  # no such network can be made here
NETWORK = f"""
nft list ruleset &&
ip link set lo up &&
ip route add local 198.51.100.0/24 dev lo &&
ip route add local 203.0.113.0/24 dev lo &&
ip -6 route add local 2001:db8::/32 dev lo &&
sysctl -qw net.ipv6.ip_nonlocal_bind=1 || exit {NONE}
exec "$0" -m tests.deploy.test_flood
"""
BLOCKED = ("198.51.100.7", "2001:db8:66:1::5")
OTHERS = ("203.0.113.7", "2001:db8:66:2::5")


def test_it_drops_the_networks_that_are_named_and_no_other() -> None:
    command = ["unshare", "--net", "sh", "-c", NETWORK, sys.executable]
    done = subprocess.run(command, cwd=DEPLOY.parent, capture_output=True, text=True, timeout=100, check=False)
    if done.returncode == NONE or done.stderr.startswith("unshare:"):
        pytest.skip(f"no network with a firewall can be made here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stdout + done.stderr


def inside() -> None:
    """Block two networks by the commands of the file's head, and connect from them and from two others."""
    listeners = [
        socket.create_server((at, 443), family=family)
        for at, family in (("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6))
    ]

    def connect(source: str) -> socket.socket:
        """Begin to connect from an address, without waiting."""
        six = ":" in source
        made = socket.socket(socket.AF_INET6 if six else socket.AF_INET)
        made.setblocking(False)
        made.bind((source, 0))
        made.connect_ex(("::1" if six else "127.0.0.1", 443))
        return made

    def is_connected(made: socket.socket) -> bool:
        """Whether the other side has accepted it."""
        try:
            made.getpeername()
        except OSError:
            return False
        return True

    add = re.findall(r"#   (nft add .*?'\{.*?\}')", FILE.read_text())
    assert len(add) == 2
    for words in (f"nft -f {FILE}", *add, f"nft -f {FILE}", *add):  # the second time empties the lists
        run(words)
    refused = [connect(source) for source in BLOCKED]
    while len(re.findall(r"counter packets [1-9]", listed())) < 2:
        time.sleep(0.05)  # a poll: until both were dropped
    others = [connect(source) for source in OTHERS]
    while not all(map(is_connected, others)):
        time.sleep(0.05)  # a poll
    assert not any(map(is_connected, refused))
    assert re.search(r"198\.51\.100\.0/24 expires 5\dm", listed())
    run("nft delete table inet flood")
    again = [connect(source) for source in BLOCKED]
    while not all(map(is_connected, again)):
        time.sleep(0.05)  # a poll
    for one in (*listeners, *refused, *others, *again):
        one.close()


def listed() -> str:
    """Return the table."""
    return run("nft list table inet flood")


def run(words: str) -> str:
    """Run a command of the manual."""
    return subprocess.run(["sh", "-c", words], check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    inside()
