"""The manual says what the program does."""

from pathlib import Path

from server import manual
from server.layers import leaves
from server.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_of_settings_is_what_the_program_makes() -> None:
    page = ROOT / "docs" / "configuration.md"
    assert page.read_text() == manual.configuration(), (
        "make it anew: serendip config --markdown > docs/configuration.md"
    )


def test_the_page_names_every_setting_once() -> None:
    page = manual.configuration()
    assert all(page.count(f"| `{name}` |") == 1 for name, _ in leaves(Settings()))
