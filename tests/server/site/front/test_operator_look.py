"""An operator's colour can be read in both themes, whatever it is, and its name stands where the project's did."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.site.front.operator_look import TEXT, coloured, contrast, named, shades
from server.site.front.page_files import FOLDER

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
TOKENS = (FOLDER / "style/tokens.css").read_bytes()


@given(COLOURS)
def test_text_on_and_in_any_colour_can_be_read_in_both_themes(colour: str) -> None:
    light, dark = shades(colour)
    for theme, grounds in ((light, ("#f5f4f0", "#ffffff")), (dark, ("#0f1413", "#171e1c"))):
        assert all(contrast(theme["accent"], ground) >= TEXT for ground in grounds), theme
        for text, ground in (
            ("on-accent", "accent"),
            ("on-accent", "accent-hover"),
            ("soft-ink", "soft"),
            ("on-mine", "mine"),
        ):
            assert contrast(theme[text], theme[ground]) >= TEXT, (text, theme)


def test_the_sheet_has_the_colour_in_every_theme_and_nothing_else_changes() -> None:
    sheet = coloured(TOKENS, "#7a3b8f").decode()
    light, dark = shades("#7a3b8f")
    assert sheet.count(f"--accent: {light['accent']};") == 1
    assert sheet.count(f"--accent: {dark['accent']};") == 2
    without = re.compile(r"--(accent|accent-hover|on-accent|soft|soft-ink|mine|on-mine): #[0-9a-f]+;")
    assert without.sub("", sheet) == without.sub("", TOKENS.decode())
    assert coloured(TOKENS, "") == TOKENS
    with pytest.raises(ValueError, match="without themes"):
        coloured(b":root {}", "#7a3b8f")


def test_the_name_stands_in_the_shell_and_in_the_manifest() -> None:
    shell = (Path(FOLDER) / "index.html").read_bytes()
    assert b"Serendip" not in named(shell, "Lantern")
    assert b"<h1>Lantern</h1>" in named(shell, "Lantern")
    assert named(shell, "") == shell
