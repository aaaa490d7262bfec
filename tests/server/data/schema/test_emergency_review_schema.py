"""The table of emergency reviews names operators alone."""

from sqlalchemy import LargeBinary

from server.data.schema.emergency_review_schema import emergency_review


def test_a_review_holds_no_keyed_value_of_a_person() -> None:
    assert [column.name for column in emergency_review.columns if isinstance(column.type, LargeBinary)] == ["subject"]
    assert emergency_review.c.subject.type.length != 17
