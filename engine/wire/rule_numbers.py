"""The numbers that are rules beside the protocol's, each with its reason; what a deployment may choose stands in `Settings`.

Rule: units are in the names' comments. What the wire knows stands in `protocol`, the pace of matching in `thresholds`,
the memory of rings in `ext.net.ring`.
"""

from dataclasses import dataclass
from typing import Final

from engine.wire.protocol import FIND_BURST, FIND_RATE, GRACE

# Rule 7: not the same two again.
RECENT_PARTNERS: Final = 4  # of either side
RECENT_FOR: Final = 600  # seconds
REPORTED_FOR: Final = 86_400  # seconds: "not paired again for a day"
REPORTED_PARTNERS: Final = 16  # reports of one person that bar at once; the oldest goes first
PERSONS_MAX: Final = 100_000  # remembered persons; 600 s at 80 chats a second before the oldest are forgotten early

# Reports from one address that bar at once, more from the network around it; the oldest goes first.
REPORTS_MAX: Final = 64

# Interests that the searches of one address hold at once, those of the network around it some times that: ten for each connection that it may
# have. A full table of a million takes a thousand addresses.
WORDS_MAX: Final = 1_024
WORDS_RETRY_AFTER: Final = (
    10.0  # seconds, where a search has room for none of its interests: many searches end in that time
)

# Chats that end soon after one's first line (`engine.conduct.friction`).
SOON: Final = 5  # seconds
SHORT: Final = 60.0  # seconds of a chat beyond which nobody looks when its first line was
SHORT_LINES: Final = 30  # and lines: so many make a conversation

# Seats of chats that ended a few seconds ago (`engine.chats.detections`): lines are looked at within a quarter of a second, and a process has a
# thousand
# ends in that at the most.

# Looks at the cameras of a video chat (`engine.chats.camera_checks`).
LOOK_LEAST: Final = 20.0  # seconds between two at random
LOOK_SPREAD: Final = 5.0  # seconds, the least mean of what is drawn beyond that: nobody knows when the next one comes
LOOK_CLOSE: Final = 20.0  # seconds, the mean where one of the two has so many points (`engine.conduct.friction`):
CLOSE_POINTS: Final = 4
LOOK_SOON: Final = 3.0  # seconds after a hit, and up to as many more
LOOK_AGAIN: Final = 3.0  # seconds where one of the two is away
LOOK_GRACE: Final = 2.0  # seconds that pictures may be late: their way, and what they wait for here
SIGHT_FOR: Final = (
    60.0  # seconds for which what is seen in pictures is waited for: the queue is 200 strips long, of 50 ms each
)
NONCES_KEPT: Final = 8  # of a chat, the last ones: four looks
UNCHECKED_FOR: Final = 600.0  # seconds for which video is off for who does not give pictures
PAUSED_FOR: Final = 3_600.0  # and, where the operator chose so, for whom two hits confirm

# Ticks.
LOOKS_A_TICK: Final = 200  # chats looked at in one tick: under 5 ms
# Resumes that wait at once for a session on its way from another process: all who come back in the seconds of a hand-over.
RESUMES_MAX: Final = 10_000
EXPIRIES_A_TICK: Final = 500  # sessions ended in one tick: under 5 ms, so that others' messages do not wait
# Searches that take a step in one tick: under 5 ms, and what they are told is sent before the next ones are looked at. Where the
# pace grows, those who came first and those who came later are due at one time.
STEPS_A_TICK: Final = 500
BUSY_RETRY_AFTER: Final = 60  # seconds, where the index is full: as long as a pool stays open in which nobody waits
QUESTION_AGAIN_AFTER: Final = 8.0  # seconds that two wait for an asker before they get a question asked before
SPY_SCAN_MAX: Final = 16  # second discussers looked at for one question: the queue's head decides, not its length


# Words of `Settings.pictures` and `Settings.veil`.
OFF: Final = "off"
REPORTS: Final = "reports"
ON: Final = "on"
NONE: Final = "none"
VEIL: Final = "veil"
PAUSE: Final = "pause"


@dataclass(frozen=True)
class Settings:
    """What an operator chooses about sessions and chats."""

    grace: float = GRACE  # seconds in which a dropped connection may come back; 0: none
    require_adult: bool = False  # `find` needs `adult: true`
    find_burst: int = FIND_BURST  # finds at once, a person
    find_interval: float = 1.0 / FIND_RATE  # seconds between finds in the long run
    limits: bool = True  # False lifts the verdicts of rate limits (rule 10)
    challenges: bool = False  # who floods is asked for a challenge before a search
    challenge_first: bool = False  # everybody is, before the first
    challenge_good_for: float = 1800.0  # seconds that a solution is good, at its level
    video: bool = True  # video chats are offered
    screening: bool = True  # a program looks at lines, and says a moment later what it found
    tips: bool = True  # people are told what a line may be
    pictures: str = OFF  # looks at cameras: OFF, REPORTS (where somebody reports), ON
    snap_mean: float = 60.0  # seconds between two looks at random
    snap_share: float = 1.0  # of the chats, those that are looked at
    snaps_required: bool = True  # no video for a client that does not answer `snap`, while there are looks
    snap_programs: bool = True  # but for programs of another wire, for which their partners' pages answer
    veil: str = VEIL  # what a hit brings at once: NONE, VEIL, PAUSE (and video is off for an hour where two confirm)
    turn: bool = False  # a TURN server is configured, so `relay` can be promised
