"""The image of `deploy/Containerfile`, built by buildah where it is installed, and run: one process and two workers of it carry a chat each.

The registry of the base image may be out of reach, so debootstrap makes the base: the same release, from this machine's mirror. Modules that were
compiled here for the same interpreter, and are newer than their source, are let into the build, as `make install` takes them in a checkout.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import aiohttp
import pytest

from tests.deploy.proxies import DEPLOY, free_port
from tests.deploy.test_containers import said
from tests.server.fleet.migrate.upgrades import meet
from tests.support.users import needs_root

ROOT = DEPLOY.parent
KEPT = ROOT / "build" / "image"  # the base, for the next run
RELEASE, PYTHON = "trixie", "cpython-313"
BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
# buildah asks for more than some machines allow
LIMITS = [
    word
    for name, kind in (("nofile", resource.RLIMIT_NOFILE), ("nproc", resource.RLIMIT_NPROC))
    for word in ("--ulimit", f"{name}={resource.getrlimit(kind)[1]}")
]
HELPERS = [Path(folder, "podman/netavark") for folder in ("/usr/lib", "/usr/libexec", "/usr/local/lib")]
PROGRAM = "/opt/serendip/bin/serendip"
SEEN = """
for name in gcc make age pg_dump; do
    if command -v $name >/dev/null; then echo $name:there; else echo $name:none; fi
done
id -u
stat -c %a:%u /data
"""
pytestmark = [
    needs_root,
    pytest.mark.timeout(3000),  # seconds: it may compile everything, and fetches packages
    pytest.mark.skipif(
        not (shutil.which("buildah") and shutil.which("debootstrap") and any(map(Path.exists, HELPERS))),
        reason="needs Debian's packages buildah, netavark and debootstrap",
    ),
]


def run(*words: str | Path) -> str:
    """Run a command to its end; return its output."""
    done = subprocess.run([str(word) for word in words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


class Builder:
    """buildah with images of its own, which a folder holds."""

    def __init__(self, folder: Path) -> None:
        self._store = ("--root", folder / "root", "--runroot", folder / "runroot", "--storage-driver", "vfs")

    def words(self, *words: str | Path) -> list[str]:
        """Return the command line."""
        return ["buildah", *map(str, self._store), *map(str, words)]

    def __call__(self, *words: str | Path) -> str:
        """Run it; return what it prints."""
        return run(*self.words(*words)).strip()


def base(builder: Builder) -> str:
    """Make the base image, of a folder that is kept."""
    tree = KEPT / RELEASE
    if not tree.exists():
        part = KEPT / f"{RELEASE}.part"
        shutil.rmtree(part, ignore_errors=True)
        KEPT.mkdir(parents=True, exist_ok=True)
        site = run("apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages", f"Codename: {RELEASE}")
        mirror = next((line for line in site.splitlines() if line.startswith("http")), "http://deb.debian.org/debian")
        run("debootstrap", "--variant=minbase", RELEASE, part, mirror)
        part.rename(tree)
    made = builder("from", *LIMITS, "scratch")
    builder("add", "--quiet", made, tree, "/")
    builder("commit", "--quiet", made, "localhost/base")
    builder("rm", made)
    return "localhost/base"


@pytest.fixture(scope="module")
def image() -> Iterator[tuple[Builder, str]]:
    """The image, as the head of the file says."""
    folder = KEPT / "made"  # on the disk: images are gigabytes
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    builder = Builder(folder)
    text = re.sub(r"^FROM \S+", f"FROM {base(builder)}", (DEPLOY / "Containerfile").read_text(), flags=re.M)
    (folder / "Containerfile").write_text(text)
    same = PYTHON in str(sysconfig.get_config_var("EXT_SUFFIX"))
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    compiled = {"**/*.so", "ext/**/*.c"} if same else set()
    (folder / "ignored").write_text("\n".join(line for line in ignored if line not in compiled))
    (folder / "pip.conf").write_text("[global]\ncert = /etc/here.crt\n")
    builder(
        "build", "--isolation", "chroot", "--format", "docker", "--pull=never", *LIMITS, "--build-arg", "COMMIT=0123456789ab",
        "--volume", f"{BUNDLE}:/etc/here.crt:ro", "--volume", f"{folder / 'pip.conf'}:/etc/pip.conf:ro",
        "--file", folder / "Containerfile", "--ignorefile", folder / "ignored", "--tag", "serendip", ROOT,
    )  # fmt: skip
    yield builder, "serendip"
    shutil.rmtree(folder, ignore_errors=True)


class Container:
    """A container that serves: its ports and its log."""

    def __init__(self, port: int, metrics: int, log: Path) -> None:
        self.port = port
        self.metrics = metrics
        self.log = log

    def ready(self, process: subprocess.Popen[bytes]) -> int:
        """Wait until it serves; return its process number."""
        while process.poll() is None:
            for line in self.log.read_text().splitlines():
                if '"event":"server.ready"' in line:
                    return int(json.loads(line)["pid"])
            time.sleep(0.1)
        raise AssertionError(self.log.read_text())


@contextmanager
def serving(image: tuple[Builder, str], folder: Path, **more: str) -> Iterator[tuple[Container, list[str]]]:
    """Run a container; also the beginning of a command line inside it."""
    builder, name = image
    (folder / "data").mkdir(mode=0o700)
    owner, group = map(int, said("USER")[0].split(":"))
    os.chown(folder / "data", owner, group)
    container = Container(free_port(), free_port(), folder / "log")
    settings = {"SERVER__PORT": container.port, "METRICS__PORT": container.metrics, **more}
    made = builder("from", "--pull=never", *LIMITS, name)
    given = [word for key, value in settings.items() for word in ("--env", f"SERENDIP_{key}={value}")]
    inside = builder.words("run", "--isolation", "chroot", "--volume", f"{folder / 'data'}:/data", *given, made, "--")
    with container.log.open("wb") as log:
        process = subprocess.Popen([*inside, PROGRAM, "serve"], stdout=log, stderr=log)
    pid = 0
    try:
        pid = container.ready(process)
        yield container, inside
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid or process.pid, signal.SIGTERM)
        assert process.wait(60) == 0 or not pid, container.log.read_text()
        builder("rm", made)


def test_it_is_what_the_file_says(image: tuple[Builder, str]) -> None:
    builder, name = image
    found = json.loads(builder("inspect", "--type", "image", name))["Docker"]["config"]
    assert (found["User"], found["WorkingDir"], found["StopSignal"]) == ("10001:10001", "/data", "SIGTERM")
    assert found["Entrypoint"] == [PROGRAM]
    assert found["Healthcheck"]["Test"][:2] == ["CMD", "/opt/serendip/bin/python"]
    made = builder("from", "--pull=never", *LIMITS, name)
    told = run(*builder.words("run", "--isolation", "chroot", made, "--", PROGRAM, "--version"))
    assert "0123456789ab" in told
    seen = run(*builder.words("run", "--isolation", "chroot", made, "--", "sh", "-c", SEEN)).split()
    assert seen == ["gcc:none", "make:none", "age:there", "pg_dump:there", "10001", "700:10001"], "no compiler is left"
    help_text = run(*builder.words("run", "--isolation", "chroot", made, "--", PROGRAM, "help", "scale"))
    assert "serendip drain" in help_text
    builder("rm", made)


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_two_meet_and_talk_through_it(image: tuple[Builder, str], tmp_path: Path, workers: str) -> None:
    with serving(image, tmp_path, WORKERS=workers) as (container, inside):
        async with aiohttp.ClientSession() as http:
            async with http.get(f"http://127.0.0.1:{container.metrics}/readyz") as answer:
                assert answer.status == 200
            async with http.get(f"http://127.0.0.1:{container.port}/") as answer:
                assert answer.status == 200
            one, other = await meet(http, container.port, "a container")
            await one.say("message", text="from the image")
            assert (await other.hear("message"))["text"] == "from the image"
        check = json.loads(said("HEALTHCHECK")[0].partition("CMD ")[2])
        check[2] = re.sub(r":\d+/", f":{container.metrics}/", check[2])
        await asyncio.to_thread(run, *inside, *check)
        told = json.loads(await asyncio.to_thread(run, *inside, PROGRAM, "status", "--json"))
        assert len(told["processes"]) == (1 if workers == "1" else 4)
