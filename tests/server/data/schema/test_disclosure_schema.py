"""The tables of the disclosure ledger: a line holds no value that could be joined with a person's rows."""

from sqlalchemy import LargeBinary

from server.data.schema.disclosure_schema import disclosure, disclosure_subject


def test_a_line_holds_hashes_alone_and_its_person_stands_apart() -> None:
    keyed = {
        table.name: [c.name for c in table.columns if isinstance(c.type, LargeBinary) and c.type.length == 17]
        for table in (disclosure, disclosure_subject)
    }
    assert keyed == {"disclosure": [], "disclosure_subject": ["who"]}
    assert not any(table.foreign_keys for table in (disclosure, disclosure_subject))
