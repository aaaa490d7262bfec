"""Search stored data and the output of operators' commands for markers: rows and files both, since a database compresses long values."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select
from typer.testing import CliRunner

from server.data.schema.record_schema import metadata
from server.data.store.store_runner import Parts
from server.main.cli import app
from tests.server.data.privacy.scanner import Found, Scanner


async def rows(scanner: Scanner, parts: Parts) -> list[Found]:
    """Every cell of every row."""
    found: list[Found] = []
    async with parts.database.read() as connection:
        for table in metadata.sorted_tables:
            for row in (await connection.execute(select(table))).mappings():
                for column, value in row.items():
                    found += scanner.scan(f"{table.name}.{column}", value, typed=True)
    return found


async def objects(scanner: Scanner, parts: Parts) -> list[Found]:
    """Every object's name and body."""
    found: list[Found] = []
    async for name in parts.objects.names(""):
        found += scanner.scan("object name", name)
        found += scanner.scan("object", await parts.objects.get(name) or b"")
    return found


def files(scanner: Scanner, *folders: Path, but: Path | None = None) -> list[Found]:
    """Every file under the folders and its name: the database's own, its write-ahead log, keys, locks, what was left behind."""
    found: list[Found] = []
    for folder in folders:
        for path in folder.rglob("*"):
            found += scanner.scan("file name", str(path.relative_to(folder)))
            if path.is_file() and path != but:
                found += scanner.scan("file", path.read_bytes())
    return found


def log(scanner: Scanner, file: Path) -> list[Found]:
    """Every line of a log, by event and field."""
    return [hit for line in file.read_bytes().splitlines() for hit in scanner.scan_log(line)]


def printed(environment: dict[str, str], *words: str) -> bytes:
    """What a command of the operators prints, errors included; it must succeed."""
    done = CliRunner().invoke(app, list(words), env={**environment, "COLUMNS": "200"})
    assert done.exit_code == 0, (words, done.output)
    return done.output.encode()
