"""The row of a meeting, as the hub writes it, of what is to be read there."""

from engine.matching.spy_queue import SpyMatch
from engine.matching.tickets import Match
from engine.rooms.hub_messages import Meeting, Row, meet_row


def row_of(meeting: Meeting) -> Row:
    """What a hub tells of a meeting."""
    first, second = meeting.waited
    found: Match | SpyMatch
    if meeting.rule:
        found = Match(0, 0, (), meeting.weight, first, second, meeting.rule)
    else:
        found = SpyMatch(0 if meeting.spies else None, 0, 0, (first, second), meeting.question)
    return meet_row(meeting.id, [tuple(member) for member in meeting.who], found, meeting.words)
