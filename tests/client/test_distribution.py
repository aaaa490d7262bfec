"""Test the client as a distribution: its wheel is built, installed alone, typed, and used against the real server."""

import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BOT = """
import asyncio
import sys
from serendip_client import Client, Matched, Message, NotSent, Sent


async def main(url: str) -> int:
    async with Client(url) as one, Client(url) as two:
        await one.find(interests=["alone"], language="en")
        await two.find(interests=["alone"])
        matched: Matched = await one.next(Matched)
        await two.next(Matched)
        said: str = await one.say(matched.common[0])
        heard: Message = await two.next(Message)
        async for event in one:
            if isinstance(event, Sent | NotSent):
                print(heard.text, event.id == said, type(event).__name__)
                break
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1])))
"""


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the client, built from a copy of its folder."""
    work = tmp_path_factory.mktemp("build")
    shutil.copytree(
        ROOT / "client", work / "client", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "build")
    )
    pip = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--disable-pip-version-check",
        "--no-deps",
        "--no-build-isolation",
    ]
    run(*pip, "--no-index", "-w", work, work / "client", cwd=work)
    return next(work.glob("*.whl"))


def test_it_is_pure_typed_and_needs_two_packages_at_most(wheel: Path) -> None:
    assert wheel.name.endswith("-py3-none-any.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "serendip_client/py.typed" in names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"serendip_client"}
    project = tomllib.loads((ROOT / "client" / "pyproject.toml").read_text())["project"]
    assert len(project["dependencies"]) <= 2


@pytest.mark.timeout(600)
def test_a_bot_runs_and_is_typed_in_an_environment_that_holds_nothing_else(
    wheel: Path, tmp_path: Path, url: str
) -> None:
    venv.create(tmp_path / "env", with_pip=False)
    python = tmp_path / "env" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python]
    run(*pip, "install", "-q", "--no-compile", "--prefer-binary", wheel, cwd=tmp_path)
    listed = run(*pip, "list", "--format=freeze", cwd=tmp_path)
    assert "serendip-client" in listed
    assert not any(name in listed.lower() for name in ("orjson", "cython", "pydantic", "aiortc"))
    bot = tmp_path / "bot.py"
    bot.write_text(BOT)
    assert run(python, bot, url, cwd=tmp_path) == "alone True Sent\n"
    run(sys.executable, "-m", "mypy", "--strict", "--python-executable", python, bot, cwd=tmp_path)
