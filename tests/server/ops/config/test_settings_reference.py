"""The reference page says what the program does."""

from pathlib import Path

from server.ops.config import settings_reference
from server.ops.config.setting_sources import leaves
from server.ops.config.settings import Settings

ROOT = Path(__file__).resolve().parents[4]


def test_the_page_of_settings_is_what_the_program_makes() -> None:
    page = ROOT / "docs" / "configuration.md"
    assert page.read_text() == settings_reference.configuration(), (
        "make it anew: serendip config --markdown > docs/configuration.md"
    )


def test_the_page_names_every_setting_once() -> None:
    page = settings_reference.configuration()
    assert all(page.count(f"| `{name}` |") == 1 for name, _ in leaves(Settings()))
