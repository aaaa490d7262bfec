"""Test the schemas themselves."""

import jsonschema_rs
import pytest

from server.trust.data_export.export_parts import PARTS
from server.trust.data_export.export_schemas import SCHEMAS


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one(name: str) -> None:
    jsonschema_rs.validator_for(SCHEMAS[name])


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_a_field_more_or_less_is_refused(part: object) -> None:
    values = {
        "text": "x",
        "word": "x",
        "whole": 1,
        "time": "2026-11-24T16:05:09Z",
        "day": "2026-11-24",
        "month": "2026-11",
    }
    fields: dict[str, str] = part.fields  # type: ignore[attr-defined]
    schema = SCHEMAS[part.name]  # type: ignore[attr-defined]
    row = {name: values[kind.rstrip("?")] for name, kind in fields.items()}
    jsonschema_rs.validate(schema, [row])
    assert not jsonschema_rs.is_valid(schema, [row | {"partner": "x"}])
    assert not jsonschema_rs.is_valid(schema, [dict(list(row.items())[1:])])
    optional = {name for name, kind in fields.items() if kind.endswith("?")}
    for name in fields:
        assert jsonschema_rs.is_valid(schema, [row | {name: None}]) == (name in optional), name
