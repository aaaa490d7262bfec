"""`python -m grafana`: write the boards' JSON into grafana/boards/. `--check`: only say whether it differs."""

import sys
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from grafana import engine, hosts, operations, safety, service
from grafana.parts import Board, build

FOLDER = Path(__file__).parent / "boards"
BOARDS: tuple[Board, ...] = (service.BOARD, engine.BOARD, operations.BOARD, hosts.BOARD, safety.BOARD)


def texts() -> dict[Path, str]:
    """Each file and what is to stand in it."""
    encoder = JSONEncoder(sort_keys=True, indent=1)
    return {FOLDER / f"{board.uid}.json": encoder.encode(build(board).build()) + "\n" for board in BOARDS}


def main(arguments: list[str]) -> int:
    """1 where `--check` found a difference."""
    differ = [path for path, text in texts().items() if not path.exists() or path.read_text() != text]
    if "--check" in arguments:
        sys.stderr.writelines(f"{path.name} differs: python -m grafana\n" for path in differ)
        return 1 if differ else 0
    for path, text in texts().items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
