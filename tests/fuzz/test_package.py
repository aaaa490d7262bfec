"""Test that a packed program has its packages, and what they say of themselves."""

import subprocess
import sys
from pathlib import Path

from tests.fuzz.package import copy_packages


def test_a_copied_package_knows_its_version(tmp_path: Path) -> None:
    copy_packages({"maxminddb"}, tmp_path)
    code = "import maxminddb; print(maxminddb.__file__, maxminddb.__version__)"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.append({str(tmp_path)!r}); {code}"],
        check=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    file, version = done.stdout.split()
    assert Path(file).is_relative_to(tmp_path)
    assert version[0].isdigit()
