"""The row of a meeting, as the hub writes it, of what is to be read there."""

from engine.rooms.hub_messages import MEET, Meeting, Row


def row_of(meeting: Meeting) -> Row:
    """What a hub tells of a meeting."""
    id, who, *rest = meeting
    return [MEET, id, [tuple(member) for member in who], *rest]
