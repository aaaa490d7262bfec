"""How the C of the tests is compiled. Rule: always with both sanitizers, with our assertions, and with no warning left.

`python -m tests.c.build` prints the environment in which Python takes modules that were compiled so (`make asan`).
"""

import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
STRICT = ["-std=c11", "-Wall", "-Wextra", "-Werror"]
CHECKED = [*STRICT, "-g", "-DSERENDIP_DEBUG", "-fno-omit-frame-pointer", "-fno-sanitize-recover=all"]


def compiled(
    sources: list[Path], program: Path, sanitizers: str = "address,undefined", compiler: str = "gcc", level: int = 1
) -> Path:
    """Makes the program; raises CalledProcessError with what the compiler said on its standard error."""
    program.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [
            compiler,
            *CHECKED,
            f"-O{level}",
            f"-fsanitize={sanitizers}",
            *map(str, sources),
            "-o",
            str(program),
            "-lpthread",
        ],
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


def watched() -> dict[str, str]:
    """What Python needs around it to load modules of gcc's sanitizers: they come first, and see each allocation by itself.

    Leaks are not looked for: Python keeps what it likes until the end.
    """
    libraries = [
        subprocess.run(["gcc", f"-print-file-name={name}"], capture_output=True, text=True, check=True).stdout.strip()
        for name in ("libasan.so", "libubsan.so")
    ]
    return {
        "LD_PRELOAD": ":".join(libraries),
        "ASAN_OPTIONS": "detect_leaks=0",
        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
        "PYTHONMALLOC": "malloc",
    }


if __name__ == "__main__":
    print(*(f"{name}={value}" for name, value in watched().items()))
