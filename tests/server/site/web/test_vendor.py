"""What we did not write is exactly what VERSIONS says."""

import hashlib
from pathlib import Path

VENDOR = Path(__file__).resolve().parents[4] / "server/site/web/vendor"


def listed() -> dict[str, str]:
    """File name to SHA-256, from VERSIONS."""
    rows = [line.split() for line in (VENDOR / "VERSIONS").read_text().splitlines() if not line.startswith("#")]
    return {row[0]: row[-1] for row in rows}


def test_each_vendored_file_has_the_sum_that_is_written_down() -> None:
    for name, digest in listed().items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest, name


def test_nothing_is_vendored_that_is_not_listed() -> None:
    present = {path.name for path in VENDOR.iterdir()} - {"VERSIONS", "LICENSES"}
    assert present == set(listed())


def test_each_listed_package_has_its_licence_beside_it() -> None:
    licences = (VENDOR / "LICENSES").read_text()
    for name in ("preact", "htm", "figtree", "altcha"):
        assert f"=== {name}" in licences
