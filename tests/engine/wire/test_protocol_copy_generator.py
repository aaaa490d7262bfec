"""Compare the copies of the protocol with what is generated now."""

import re

import pytest

from engine.wire.protocol import FAULTS
from engine.wire.protocol_copy_generator import COMMAND, ROOT, copies


@pytest.mark.parametrize(("path", "made"), copies().items(), ids=list(copies()))
def test_each_copy_is_byte_for_byte_what_the_command_makes(path: str, made: str) -> None:
    assert (ROOT / path).read_bytes() == made.encode(), f"run: {COMMAND}"


def test_no_sentence_needs_an_escape_of_json_or_of_printf() -> None:
    for code, fault in FAULTS.items():
        assert re.fullmatch(r"[a-z_]+", code)
        assert re.fullmatch(r"[ !#-$&-\[\]-~]+", fault.message), code
