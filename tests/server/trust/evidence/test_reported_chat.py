"""Test that a report crosses processes whole. Its capture is in `test_service` and `test_kept`."""

from dataclasses import replace

import orjson
import pytest

from server.trust.evidence.chat_evidence import Detection, Evidence
from server.trust.evidence.reported_chat import pack, unpack
from tests.server.trust.moderation.people import acted, reported, text

FOUND = replace(text("hello", "buy gold"), found=(Detection(2, 1, "money"), Detection(1, 0, "link")))


@pytest.mark.parametrize("said", [None, text("hello", "buy gold"), FOUND])
def test_what_is_packed_is_what_comes_out(said: Evidence | None) -> None:
    for made in (reported(note="sells gold", said=said), acted(said=said)):
        assert unpack(orjson.loads(orjson.dumps(pack(made)))) == made


def test_the_chat_crosses_too_by_which_pictures_are_found_and_an_older_version_sends_none() -> None:
    made = replace(reported(said=FOUND), chat="c0ffee")
    packed = orjson.loads(orjson.dumps(pack(made)))
    assert unpack(packed) == made
    assert unpack(packed[:-1]) == replace(made, chat="")


def test_only_what_the_subject_wrote_speaks_of_them() -> None:
    assert reported(said=FOUND).rules == {"money"}
    assert reported().rules == frozenset()


def test_what_is_no_report_is_refused() -> None:
    with pytest.raises((TypeError, ValueError)):
        unpack([1, 2])
