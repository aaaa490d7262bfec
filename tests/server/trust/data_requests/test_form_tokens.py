"""Test the tokens of forms."""

from pathlib import Path

from server.ops.security import secret_keys
from server.trust.data_requests.form_tokens import ACT, CONFIRM, LIFE, PageTokens

NOW = 1_795_000_000.0


def test_a_token_works_ten_minutes_for_one_step_and_one_browser(tmp_path: Path) -> None:
    tokens = PageTokens(secret_keys.load(tmp_path))
    token = tokens.make(ACT, 7, NOW)
    assert LIFE == 600
    assert tokens.fits(token, ACT, 7, NOW + LIFE - 1)
    assert not tokens.fits(token, ACT, 7, NOW + LIFE)
    assert not tokens.fits(token, CONFIRM, 7, NOW)
    assert not tokens.fits(token, ACT, 8, NOW)
    assert not tokens.fits(token, ACT, 0, NOW)


def test_a_page_that_was_open_over_a_rotation_still_works(tmp_path: Path) -> None:
    token = PageTokens(secret_keys.load(tmp_path)).make(ACT, 0, NOW)
    assert PageTokens(secret_keys.rotate(tmp_path)).fits(token, ACT, 0, NOW + 1)


def test_nothing_forged_fits(tmp_path: Path) -> None:
    tokens = PageTokens(secret_keys.load(tmp_path))
    token = tokens.make(ACT, 7, NOW)
    other = "C" if token[0] == "B" else "B"
    for text in (
        "",
        "x",
        "é",
        "A" * 50,
        "A" * 10_000,
        token[:-2],
        token[:9] + "...." + token[9:],  # as many as leave the padding as it was
        other + token[1:],
        token.swapcase(),
    ):
        assert not tokens.fits(text, ACT, 7, NOW)
