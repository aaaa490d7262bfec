"""Format a point in time for a reader: UTC, to the minute, in the reader's language."""

import datetime

from server.http.words.sentence_formatter import Said


def moment(at: float, t: Said) -> str:
    """Return `24 November 2026, 14:05 UTC` for Unix seconds."""
    time = f"{datetime.datetime.fromtimestamp(at, datetime.UTC):%H:%M}"
    return t.text("appeal.moment", date=t.day(at), time=time)
