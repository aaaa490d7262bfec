"""Other releases of this program, made of this one. Rule: a folder of its own; all but the engine is this checkout's, compiled parts too."""

import shutil
import sys
from pathlib import Path

from tests.server.site.web.servers import ROOT
from tests.support.forkserver import START

TABLE = 'PERSON: Final[Table] = {\n    "id": _key,\n'
WRITES = '    record["address"] = session.address\n'


def release(folder: Path, version: int, oldest: int, field: str) -> Path:
    """A program that writes records of `version`, in which a person has one more field, and reads those from `oldest` on."""
    folder.mkdir()
    for name in ("server", "ext", "client"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "engine", folder / "engine", ignore=shutil.ignore_patterns("__pycache__"))
    session_record, records = folder / "engine/migrate/session_record.py", folder / "engine/migrate/record_fields.py"
    for source in (session_record, records):
        for compiled in source.parent.glob(f"{source.stem}.*.so"):
            compiled.unlink()  # it is this release's
    replace(session_record, "VERSION: Final = 1 ", f"VERSION: Final = {version} ")
    replace(session_record, "OLDEST: Final = 1 ", f"OLDEST: Final = {oldest} ")
    replace(session_record, TABLE, f'{TABLE}    "{field}": _text,\n')
    replace(records, WRITES, f'{WRITES}    record["{field}"] = "of a later release"\n')
    return launcher(folder, folder)


def launcher(folder: Path, sources: Path = ROOT) -> Path:
    """A program that runs from those sources; left out: this checkout's."""
    file = folder / "serendip"
    file.write_text(f"#!/bin/sh\ncd '{sources}' && exec '{sys.executable}' -c '{START}' \"$@\"\n")
    file.chmod(0o755)
    return file


def replace(file: Path, old: str, new: str) -> None:
    """Change one place. Raises AssertionError where there is not exactly one."""
    text = file.read_text()
    assert text.count(old) == 1, f"{file.name}: {old!r} is to be there once; adapt this file"
    file.write_text(text.replace(old, new))
