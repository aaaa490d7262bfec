"""Define the constants of the engine's rules, each with unit and reason, and `Settings`, those that an operator chooses.

Constants of frames are in `engine.wire.protocol`, those of the pace of matching in `engine.matching.thresholds`, sizes of chat buffers in
`ext.net.chat_ring`.
"""

from dataclasses import dataclass
from typing import Final

from engine.wire.protocol import FIND_BURST, FIND_RATE, GRACE

# Rule 7: do not match the same two again.
RECENT_PARTNERS: Final = 4  # per side
RECENT_FOR: Final = 600  # seconds
REPORTED_FOR: Final = 86_400  # seconds: "not paired again for a day"
REPORTED_PARTNERS: Final = 16  # blocking reports by one person; the oldest is dropped first
PERSONS_MAX: Final = 100_000  # remembered persons: 600 s at 80 chats a second before the oldest are dropped early

# Blocking reports from one address, some times more from the network around it; the oldest is dropped first.
REPORTS_MAX: Final = 64

# Interests that the searches of one address hold at once, and some times more of the network around it: ten for each connection allowed. Filling
# the table of a million takes a thousand addresses.
WORDS_MAX: Final = 1_024
WORDS_RETRY_AFTER: Final = 10.0  # seconds, if none of a search's interests is accepted: many searches end in that time

# Chats that end soon after one's first line (`engine.conduct.friction_points`).
SOON: Final = 5  # seconds
SHORT: Final = 60.0  # seconds of a chat beyond which the time of its first line is not looked up
SHORT_LINES: Final = 30  # lines, the same: so many make a conversation


# Camera checks of a video chat (`engine.chats.camera_checks`).
LOOK_LEAST: Final = 20.0  # seconds between two random checks
LOOK_SPREAD: Final = 5.0  # seconds, the least mean of the random part: the next check cannot be predicted
LOOK_CLOSE: Final = (
    20.0  # seconds, the mean if one of the two has CLOSE_POINTS points (`engine.conduct.friction_points`)
)
CLOSE_POINTS: Final = 4
LOOK_SOON: Final = 3.0  # seconds after a hit, and up to as many more
LOOK_AGAIN: Final = 3.0  # seconds if one of the two is away, or the chat is held
LOOK_GRACE: Final = 2.0  # seconds that pictures may be late, for the network and the queue here
SIGHT_FOR: Final = 60.0  # seconds that a verdict on pictures is awaited: the queue holds 200 strips of 50 ms each
NONCES_KEPT: Final = 8  # of a chat, the last ones: four checks
UNCHECKED_FOR: Final = 600.0  # seconds that video is off for a user who sends no pictures
PAUSED_FOR: Final = 3_600.0  # seconds that video is off after two confirmed hits, if the operator chose it

# Ticks.
LOOKS_A_TICK: Final = 200  # chats checked in one tick: under 5 ms
# Resumes waiting at once for a session that migrates: all clients that come back in the seconds of an upgrade.
RESUMES_MAX: Final = 10_000
EXPIRIES_A_TICK: Final = 500  # sessions ended in one tick: under 5 ms, so that messages of others do not wait
# Searches that take a step in one tick: under 5 ms, and their frames are sent before the next ones are processed. If the pace grows, earlier and
# later searches become due at one time.
STEPS_A_TICK: Final = 500
BUSY_RETRY_AFTER: Final = 60  # seconds, if the index is full: as long as an empty pool stays open
QUESTION_AGAIN_AFTER: Final = 8.0  # seconds that two wait for an asker before they get a question asked before
SPY_SCAN_MAX: Final = 16  # second discussers tried for one question: bounds the cost whatever the queue's length


# Values of `Settings.pictures`, `Settings.sends` and `Settings.veil`.
OFF: Final = "off"
REPORTS: Final = "reports"
ON: Final = "on"
CHECKED: Final = "checked"
NONE: Final = "none"
VEIL: Final = "veil"
PAUSE: Final = "pause"


@dataclass(frozen=True)
class Settings:
    """Settings of an operator about sessions and chats."""

    grace: float = GRACE  # seconds in which a dropped connection may come back; 0: none
    require_adult: bool = False  # `find` needs `adult: true`
    find_burst: int = FIND_BURST  # finds at once, per person
    find_interval: float = 1.0 / FIND_RATE  # seconds between finds in the long run
    limits: bool = True  # False lifts rate limits (rule 10)
    challenges: bool = False  # a flooding user must pass a challenge before a search
    challenge_first: bool = False  # every user must pass one before the first search
    challenge_good_for: float = 1800.0  # seconds that a solution is valid, at its level
    video: bool = True  # video chats are offered
    screening: bool = True  # a screening program reads lines and reports detections a moment later
    tips: bool = True  # users receive tips about suspicious lines
    pictures: str = OFF  # camera checks: OFF, REPORTS (after a report), ON
    snap_mean: float = 60.0  # mean seconds between two random checks
    snap_share: float = 1.0  # share of the chats that is checked
    snaps_required: bool = True  # no video for a client that does not answer `snap`, while checks are on
    snap_programs: bool = True  # except programs of another protocol, whose partners' pages answer
    veil: str = VEIL  # first action on a hit: NONE, VEIL, PAUSE (video is also off for an hour if two hits confirm)
    sends: str = (
        OFF  # pictures that the two of a chat send each other: OFF, CHECKED (only while a program checks them), ON
    )
    turn: bool = False  # a TURN server is configured, so `relay` can be promised
