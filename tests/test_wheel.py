"""What a wheel holds: all of the three packages, compiled modules included, and nothing of benches, tests and the client.

The modules are those that are built in place: this is about what is packed, not about compiling.
"""

import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("ext", "engine", "server")
PACK = """
import shutil, sys
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

class Built(build_ext):
    def build_extension(self, ext):
        target = self.get_ext_fullpath(ext.name)
        self.mkpath(target.rpartition("/")[0])
        shutil.copy(sys.argv[1] + "/" + self.get_ext_filename(ext.name), target)

setup(
    ext_modules=[Extension(name, []) for name in sys.argv[2:]],
    cmdclass={"build_ext": Built},
    script_args=["-q", "bdist_wheel", "--dist-dir", "dist"],
)
"""


def tracked() -> list[str]:
    """Files that git knows, by their names from the root."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)
    return [name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The names of all that is in a wheel of this tree."""
    copy = tmp_path_factory.mktemp("wheel")
    for name in tracked():
        if name.split("/")[0] in (*PACKAGES, "bench", "tests", "pyproject.toml", "README.md", "LICENSE"):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-c", PACK, str(ROOT), *compiled()]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    (found,) = (copy / "dist").glob("*.whl")
    return zipfile.ZipFile(found).namelist()


def compiled() -> list[str]:
    """The modules of the packages that are compiled."""
    return [
        ".".join(PurePosixPath(name).with_suffix("").parts)
        for name in tracked()
        if name.endswith(".pyx") and name.split("/")[0] in PACKAGES
    ]


def test_a_wheel_has_the_four_packages_and_no_other(wheel: list[str]) -> None:
    tops = {name.split("/")[0] for name in wheel}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)


def test_a_wheel_has_every_compiled_module_with_its_types(wheel: list[str]) -> None:
    packed = {name.split(".")[0].replace("/", ".") for name in wheel if name.endswith(".so")}
    assert packed == set(compiled())
    typed = [name for name in tracked() if name.endswith((".pyi", ".pxd")) and name.split("/")[0] in PACKAGES]
    assert [name for name in typed if name not in wheel] == []


def test_a_wheel_has_every_file_that_the_packages_read(wheel: list[str]) -> None:
    sources = (".pyx", ".h", ".c")  # of compiled modules: they are read when these are built
    missing = {
        name
        for name in tracked()
        if name.split("/")[0] in PACKAGES and not name.endswith(sources) and name not in wheel
    }
    assert missing == set()
