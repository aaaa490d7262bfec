"""Test that unreceived messages are sent again, in order, and once."""

from serendip_client.outbox import Outbox


def filled(count: int) -> Outbox:
    box = Outbox()
    for number in range(count):
        box.number(box.add(f"{number}", f"text {number}"))
    return box


def test_what_the_server_took_is_delivered_and_the_rest_goes_again_under_new_numbers() -> None:
    box = filled(5)
    delivered, refused = box.resume(3, frozenset())
    assert [line.id for line in delivered] == ["0", "1", "2"]
    assert refused == []
    assert [line.id for line in box.unsent()] == ["3", "4"]
    for line in list(box.unsent()):
        box.number(line)
    delivered, _ = box.resume(5, frozenset())
    assert [line.id for line in delivered] == ["3", "4"]
    assert not len(box)


def test_refused_ones_are_told_apart() -> None:
    delivered, refused = filled(3).resume(3, frozenset({2}))
    assert [line.id for line in delivered] == ["0", "2"]
    assert [line.id for line in refused] == ["1"]


def test_confirmed_lines_are_forgotten_and_count_as_taken() -> None:
    box = filled(3)
    line = box.settle("0")
    assert line is not None
    assert line.text == "text 0"
    assert box.settle("0") is None
    delivered, _ = box.resume(2, frozenset())
    assert [line.id for line in delivered] == ["1"]
    assert [line.id for line in box.unsent()] == ["2"]


def test_the_end_of_a_chat_gives_back_what_never_went_out_and_waits_for_the_answers_to_the_rest() -> None:
    box = filled(2)
    box.add("2", "never numbered")
    assert [line.id for line in box.part()] == ["2"]
    assert len(box) == 2
    line = box.add("9", "of the next chat")
    box.number(line)
    assert line.ordinal == 1
    assert box.settle("1") is not None
    assert [line.id for line in box.forget()] == ["0"]
    assert len(box) == 1


def test_a_chat_that_was_left_is_counted_too_when_it_comes_back() -> None:
    box = filled(3)
    box.part()
    delivered, refused, never = box.resume_behind(2, frozenset({1}))
    assert [[line.id for line in lines] for lines in (delivered, refused, never)] == [["1"], ["0"], ["2"]]
    assert not len(box)
