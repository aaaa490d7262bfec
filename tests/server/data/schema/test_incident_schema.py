"""The table of incidents is about no person."""

from server.data.schema.incident_schema import incident


def test_no_column_of_an_incident_is_personal() -> None:
    assert not any(column.info.get("pd") for column in incident.columns)
