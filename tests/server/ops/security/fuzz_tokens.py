"""Fuzz what opens tokens, receipts and reference numbers: nothing but a token of ours opens, in its one spelling. Also a target of `make fuzz`."""

from collections.abc import Hashable
from typing import Final

from server.ops.security import reference_numbers, report_receipt_url, url_token_generator
from server.ops.security.avoid_tokens import AvoidTokens
from server.ops.security.college_proofs import CollegeProofs
from server.ops.security.pair_tokens import PairTokens, never_banned
from server.ops.security.resume_tokens import Tokens
from server.ops.security.routable_ids import HostHints
from server.ops.security.secret_keys import Keys, Secret
from server.trust.data_requests.form_tokens import ACT, PageTokens

WORDS = (
    b"A" * 22, b"-", b"_", b"+", b"/", b"=", b"==", b"/report/", b"\x07", b"BwAA", b"\xff", b"\xc2\xa0", b"O", b"I", b"L", b"0", b" ", b"\0", b"\n",
)  # fmt: skip
NOW = 1_800_000_000.0
KEYS = Keys(Secret(bytes(range(32)), 7))
RESUME = Tokens(KEYS, node=3, worker=2, generation=9, clock=lambda: NOW)
PAIRS = PairTokens(KEYS, never_banned, lambda: NOW)
AVOID = AvoidTokens(KEYS, lambda: NOW)
PROOFS = CollegeProofs(KEYS, 86_400.0, lambda: NOW)
PAGES = PageTokens(KEYS)
HINTS = HostHints(KEYS, "10.0.0.1:9467")
REFERENCE = "7KQ2M3ZP9XW4"
# One token of each kind, made by RESUME.seal(11, 5), PAIRS.make(9, 5), AVOID.make(77), PROOFS.seal(bytes(16), "uio.no") and
# PAGES.make(ACT, 5, NOW). They are written here because their nonces are random: a seed that one process made opens in each other one, too.
MADE: Final[dict[str, object]] = {
    "B4PbyC0Cfv3_A-SYAJcUzbdrltQUcQ7-tEKsyxZJvePU6k0UAtmgmyNsPXXEYqGHKznjPfkrCcRL": 11,
    "B5lwMOv7sB3wNGa-RX0KlqX5M-Pmu9r9Rg2oSYUevLMiAYrB8RTgfk0PnuEIFhCGM0kEebx1iFrX": 9,
    "B1TKbgxHhhCahxl2EHq2_s4DjkklmTgCX-upl4Vft_gX4H5G98nipWM": (77,),
    "B1sbE98RwWmkguJcITKEEpGU2cSle7uaEdI9Mt8_qf5oNJpgj9JfUVG9-Hn0CBI5WhjnROhLFw": "uio.no",
    "B2tJ1FjWCM2kxmVhyvQfT2NoFPA_GiafGyCWgU6_DzgAHX3SuQ": True,
}


def seeds() -> list[bytes]:
    """Return tokens, and names and numbers as people write them."""
    number = REFERENCE + next(sign for sign in reference_numbers.ALPHABET if reference_numbers.valid(REFERENCE + sign))
    others = [
        url_token_generator.encode(bytes(range(16))),
        HINTS.letters(),
        HINTS.token(),
        number,
        reference_numbers.shown(number).lower(),
    ]
    return [text.encode() for text in (*MADE, *others, report_receipt_url.PATH + others[0])]


def enter(data: bytes) -> Hashable:
    """Open the input as each kind of token."""
    text = data.decode("utf-8", "surrogateescape")
    opened: list[object] = [RESUME.open(text, 5), PROOFS.open(text)]
    opened += [PAGES.fits(text, ACT, 5, NOW), PAIRS.open([text], 5)[0], AVOID.open([text])]
    named = HINTS.of_letters(text), HINTS.of_token(text)
    secret, number = report_receipt_url.secret(text), reference_numbers.read(text)
    assert secret is None or url_token_generator.encode(secret) == text.removeprefix(report_receipt_url.PATH)
    assert number is None or reference_numbers.valid(number)
    return tuple(bool(one) for one in opened), named, secret is None, number is None


def fuzz(data: bytes) -> Hashable:
    """Check that nothing opens which was not made here."""
    said = enter(data)
    text = data.decode("utf-8", "surrogateescape")
    opened = [RESUME.open(text, 5), PROOFS.open(text), PAIRS.open([text], 5)[0] or None, AVOID.open([text]) or None]
    opened.append(PAGES.fits(text, ACT, 5, NOW) or None)
    assert [kind for kind in opened if kind is not None] == ([MADE[text]] if text in MADE else [])
    assert not PAGES.fits(text, ACT, 6, NOW)
    return said
