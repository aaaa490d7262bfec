"""How the C of the tests is compiled. Rule: always with both sanitizers, with our assertions, and with no warning left."""

import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
STRICT = ["-std=c11", "-Wall", "-Wextra", "-Werror"]
CHECKED = [*STRICT, "-O1", "-g", "-DSERENDIP_DEBUG", "-fno-omit-frame-pointer", "-fno-sanitize-recover=all"]


def compiled(sources: list[Path], program: Path, sanitizers: str = "address,undefined", compiler: str = "gcc") -> Path:
    """Makes the program; raises CalledProcessError with what the compiler said on its standard error."""
    program.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [compiler, *CHECKED, f"-fsanitize={sanitizers}", *map(str, sources), "-o", str(program), "-lpthread"],
        check=True,
    )
    return program


def libfuzzer() -> str | None:
    """A clang that can make a program with libFuzzer; None where there is none."""
    for clang in ("clang", *(f"clang-{version}" for version in range(21, 13, -1))):
        if (
            shutil.which(clang)
            and Path(
                subprocess.run(
                    [clang, "--print-file-name=libclang_rt.fuzzer-x86_64.a"], capture_output=True, text=True, check=True
                ).stdout.strip()
            ).is_absolute()
        ):
            return clang
    return None
