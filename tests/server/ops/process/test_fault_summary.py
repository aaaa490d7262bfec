"""What is told of a fault: its kind and its places, never its text."""

from server.ops.process.fault_summary import ended_by


def nested(depth: int) -> None:
    if depth:
        nested(depth - 1)
    raise ValueError("canarymark")


def test_a_fault_is_told_by_kind_and_by_its_last_places_innermost_first() -> None:
    try:
        nested(9)
    except ValueError as fault:
        told = ended_by(fault)
    assert told["fault"] == "ValueError"
    places = told["where"].split(" < ")
    assert len(places) == 6
    assert all(place.startswith("test_fault_summary.py:") for place in places)
    assert "canarymark" not in str(told)


def test_one_that_was_never_raised_has_no_place() -> None:
    assert ended_by(OSError("x")) == {"fault": "OSError", "where": ""}
