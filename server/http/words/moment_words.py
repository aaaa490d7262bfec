"""A moment in words. Rule: UTC, to the minute, as the language of whoever reads it writes a day."""

import datetime

from server.http.words.sentences import Said


def moment(at: float, t: Said) -> str:
    """`24 November 2026, 14:05 UTC`, of Unix seconds."""
    time = f"{datetime.datetime.fromtimestamp(at, datetime.UTC):%H:%M}"
    return t.text("appeal.moment", date=t.day(at), time=time)
