"""The tables of notices and figures: nothing there leads to anybody but what they wrote themselves."""

from sqlalchemy import LargeBinary

from server.data.schema.transparency_schema import law_notice, month_figure


def test_a_notice_has_no_keyed_value_of_a_person_and_a_figure_has_nothing_of_one() -> None:
    keyed = [
        column.name
        for column in law_notice.columns
        if isinstance(column.type, LargeBinary) and column.type.length == 17
    ]
    assert keyed == []
    assert not {"identity", "address", "network", "address_mac"} & set(law_notice.columns.keys())
    assert [column.name for column in month_figure.columns if column.info["pd"] is not None] == []
