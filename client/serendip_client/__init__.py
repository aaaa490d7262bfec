"""Provide a typed asyncio client of Serendip's WebSocket protocol, for bots, tests and benchmarks.

**Invariant:** this package imports no module of the server. An example is `examples/echo_bot.py`.
"""

from serendip_client.backoff import Backoff
from serendip_client.client import Client
from serendip_client.disconnects import Disconnected, NoChat
from serendip_client.events import (
    Blocked,
    Called,
    Challenge,
    Closed,
    Dropped,
    Error,
    Event,
    Hello,
    Here,
    Kept,
    Left,
    Matched,
    Message,
    Notice,
    NotSent,
    Pair,
    Partner,
    Picture,
    PicturesAllowed,
    Pong,
    React,
    Reported,
    Resumed,
    Saved,
    Sent,
    Service,
    Signal,
    Snap,
    Solved,
    Tip,
    Typing,
    Veil,
    Waiting,
)
from serendip_client.pictures import Shown

__all__ = [
    "Backoff", "Blocked", "Called", "Challenge", "Client", "Closed", "Disconnected", "Dropped", "Error", "Event", "Hello", "Here", "Kept",
    "Left", "Matched", "Message", "NoChat", "NotSent", "Notice", "Pair", "Partner", "Picture",
    "PicturesAllowed", "Pong", "React", "Reported", "Resumed", "Saved", "Sent",
    "Service", "Shown", "Signal", "Snap", "Solved", "Tip", "Typing", "Veil", "Waiting",
]  # fmt: skip
