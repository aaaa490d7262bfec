"""The reference page says what the program does."""

from pathlib import Path

from server.config import reference
from server.config.settings import Settings
from server.config.sources import leaves

ROOT = Path(__file__).resolve().parents[3]


def test_the_page_of_settings_is_what_the_program_makes() -> None:
    page = ROOT / "docs" / "configuration.md"
    assert page.read_text() == reference.configuration(), (
        "make it anew: serendip config --markdown > docs/configuration.md"
    )


def test_the_page_names_every_setting_once() -> None:
    page = reference.configuration()
    assert all(page.count(f"| `{name}` |") == 1 for name, _ in leaves(Settings()))
