"""The copies of the protocol: equal to what is made now, and the one that is written by hand too."""

import re

import pytest

from engine.wire.protocol import COME_BACK, FAULTS
from engine.wire.protocol_copies import COMMAND, ROOT, copies
from serendip_client import disconnects


@pytest.mark.parametrize(("path", "made"), copies().items(), ids=list(copies()))
def test_each_copy_is_byte_for_byte_what_the_command_makes(path: str, made: str) -> None:
    assert (ROOT / path).read_bytes() == made.encode(), f"run: {COMMAND}"


def test_the_typed_client_comes_back_after_the_same_close_codes() -> None:
    assert disconnects.COMES_BACK == COME_BACK


def test_the_typed_client_knows_which_errors_close() -> None:
    assert {code for code, fault in FAULTS.items() if fault.close} == disconnects.CLOSING


def test_no_sentence_needs_an_escape_of_json_or_of_printf() -> None:
    for code, fault in FAULTS.items():
        assert re.fullmatch(r"[a-z_]+", code)
        assert re.fullmatch(r"[ !#-$&-\[\]-~]+", fault.message), code
