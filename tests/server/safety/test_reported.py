"""A report crosses processes whole. How it is made of a chat stands in `test_service` and `test_kept`."""

import orjson
import pytest

from server.safety.reported import pack, unpack

from .people import reported, text


@pytest.mark.parametrize("said", [None, text("hello", "buy gold")])
def test_what_is_packed_is_what_comes_out(said: object) -> None:
    made = reported(note="sells gold", said=said)  # type: ignore[arg-type]
    assert unpack(orjson.loads(orjson.dumps(pack(made)))) == made


def test_what_is_no_report_is_refused() -> None:
    with pytest.raises((TypeError, ValueError)):
        unpack([1, 2])
