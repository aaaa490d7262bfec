"""Test the list of parts against the registry: everything that can be exported is, and nothing else."""

from server.data.privacy.registry import REGISTRY
from server.data.privacy.registry_model import Export
from server.trust.data_export.export_parts import ABOUT, PART_OF, PARTS, PROVIDED
from server.trust.data_export.export_schemas import KINDS

ANSWERED = {Export.OWN, Export.BOTH, Export.FACT, Export.WHEN_AND_WHY}
NEVER = (
    "identity",
    "mac",
    "network",
    "operator",
    "claimed_by",
    "decided_by",
    "receipt",
    "secret",
    "object",
    "selector",
)


def test_every_item_that_can_be_asked_for_has_a_part_and_no_other_has() -> None:
    wanted = {item.key for item in REGISTRY.items if item.export in ANSWERED}
    assert wanted - PART_OF.keys() == set(), "the registry promises these; give them a part, or another `export`"
    assert PART_OF.keys() - wanted == set(), "the registry says that these are not told"


def test_an_item_is_in_one_part_alone() -> None:
    assert len(PART_OF) == sum(len(part.items) for part in PARTS)


def test_a_part_has_fields_of_known_kinds_in_one_of_two_folders() -> None:
    for part in PARTS:
        assert part.folder in {PROVIDED, ABOUT}
        assert {kind.rstrip("?") for kind in part.fields.values()} <= KINDS.keys()


def test_no_field_is_named_like_what_is_never_told() -> None:
    assert [name for part in PARTS for name in part.fields if name.endswith(NEVER)] == []
