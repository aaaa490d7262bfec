"""Find the programs that the tests need beside Python packages, install them as root, or print the command.

**Invariant:** standard library only, because it runs before anything is installed. One line of NEEDS per program.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple


class Need(NamedTuple):
    """A program (a name on PATH, or a file that one of the patterns `also` fits), its Debian package, and the tests that need it."""

    program: str
    package: str
    why: str
    also: tuple[str, ...] = ()


# Where Debian and others have what `clang -fsanitize=fuzzer` links.
LIBFUZZER = ("/usr/lib/llvm-*/lib/clang/*/lib/*/libclang_rt.fuzzer*", "/usr/lib*/clang/*/lib/*/libclang_rt.fuzzer*")
NEEDS = (
    Need("chromium", "chromium", "the page in a real browser: notifications, benches"),
    Need("chromium-headless-shell", "chromium-headless-shell", "the page in a real browser without windows of its own"),
    Need("postgres", "postgresql", "the store on PostgreSQL", ("/usr/lib/postgresql",)),
    Need("nginx", "nginx", "the configuration in deploy/", ("/usr/sbin/nginx",)),
    Need("promtool", "prometheus", "the alerts, and the queries of the boards"),
    Need("prometheus-alertmanager", "prometheus-alertmanager", "alerts that reach a person"),
    Need("systemd-analyze", "systemd", "the unit in deploy/"),
    Need("turnserver", "coturn", "calls that hide an address"),
    Need("logrotate", "logrotate", "the end of what nginx logs", ("/usr/sbin/logrotate",)),
    Need("nft", "nftables", "networks that flood the site, blocked", ("/usr/sbin/nft",)),
    Need("tc", "iproute2", "hosts that are cut from each other", ("/usr/sbin/tc",)),
    Need("caddy", "caddy", "the configuration in deploy/"),
    Need("node", "nodejs", "a public client of Omegle's protocol"),
    Need("npm", "npm", "a public client of Omegle's protocol"),
    Need("age-keygen", "age", "an order's package, encrypted to its authority"),
    Need("clang", "clang", "fuzz targets: libFuzzer"),
    Need("libFuzzer", "libclang-rt-dev", "fuzz targets: clang's package only recommends it", LIBFUZZER),
    Need("openssl", "openssl", "a certificate for that client, which speaks TLS only"),
)
# Called by Debian's packages before they start a service; 101: do not. The tests start their own.
POLICY = Path("/usr/sbin/policy-rc.d")


def missing() -> list[Need]:
    """Return the needs whose program is neither on PATH nor at one of its other places."""
    return [
        need
        for need in NEEDS
        if not shutil.which(need.program)
        and not any(True for pattern in need.also for _ in Path("/").glob(pattern[1:]))
    ]


def install(packages: list[str]) -> bool:
    """Install Debian packages without questions and without starting their services; False if apt failed."""
    ours = not POLICY.exists()
    if ours:
        POLICY.write_text("#!/bin/sh\nexit 101\n")
        POLICY.chmod(0o755)
    try:
        return _apt(packages)
    finally:
        if ours:
            POLICY.unlink()


def _apt(packages: list[str]) -> bool:
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", *packages]):
        print("+", " ".join(command), flush=True)
        if subprocess.run(command, env=quiet, stdin=subprocess.DEVNULL, check=False).returncode:
            return False
    return True


def main() -> int:
    """Return 0 if everything is there (now)."""
    wanted = missing()
    if not wanted:
        return 0
    packages = sorted({need.package for need in wanted})
    if os.geteuid() == 0 and shutil.which("apt-get") and install(packages) and not missing():
        return 0
    for need in missing():
        print(f"missing: {need.program}, for {need.why}")
    print("Get it (as root): apt-get install " + " ".join(packages))
    return 1


if __name__ == "__main__":
    sys.exit(main())
