"""Declare the metrics of the automatic checks of pictures from video chats, as rows of `server.ops.metrics.metric_table`."""

from server.ops.metrics.metric_type import Metric

PICTURE_BOUNDS = (0.025, 0.05, 0.1, 0.2, 0.4, 1.0, 2.5, 10.0)  # seconds
PICTURED = (
    Metric(
        "serendip_pictures_up",
        "gauge",
        "1 while the program beside a process with people, which looks at pictures, answers (only where pictures are looked at)",
        "Are pictures looked at now?",
        ("process",),
    ),
    Metric(
        "serendip_picture_seconds",
        "histogram",
        "from pictures received to what they show, the wait for the program included",
        "How late is something seen?",
        buckets=PICTURE_BOUNDS,
    ),
    Metric(
        "serendip_pictures_waiting",
        "gauge",
        "pictures that wait for the program",
        "Is it keeping up?",
    ),
    Metric(
        "serendip_pictures_dropped",
        "counter",
        "pictures that were not checked: too many waited, or the program was away",
        "Is it too slow, or away?",
    ),
    Metric(
        "serendip_pictures_wanted",
        "gauge",
        "1 while pictures are to be checked: a moderator reads cases (only if this installation can check them)",
        "Should a program be there?",
    ),
    Metric(
        "serendip_pictures_bytes",
        "gauge",
        "bytes of pictures in memory, which a report may still ask for",
        "How near is `pictures.memory`?",
    ),
    Metric(
        "serendip_pictures_taken",
        "counter",
        "pictures that were asked for, by what became of them at the door; forgotten: chats whose pictures went, since there was no room",
        "Do they come, and in time?",
        ("result",),
    ),
    Metric(
        "serendip_sent_pictures_bytes",
        "gauge",
        "bytes of pictures in memory that users sent each other",
        "How near is `pictures.memory`?",
    ),
    Metric(
        "serendip_sent_pictures_taken",
        "counter",
        "pictures that users sent each other, at the door: taken or refused, then given out; late and gone: under a key that is not valid any more; "
        "forgotten: chats whose pictures went, since there was no room",
        "Do they come and go?",
        ("result",),
    ),
    Metric(
        "serendip_sent_pictures",
        "counter",
        "pictures that users sent each other: wishes (allowed, ended), keys (asked), and what was seen (known: on a list; unchecked: no verdict)",
        "Do users send pictures, and what is seen?",
        ("result",),
    ),
    Metric(
        "serendip_omegle_uploads",
        "counter",
        "stills that programs of Omegle's protocol sent of their own cameras, by what they show; passed: not checked",
        "Do such programs bring looks at calls?",
        ("result",),
    ),
    Metric(
        "serendip_snaps",
        "counter",
        "looks at one side of a video chat: asked, then answered, could not (nosnap) or missed; and what was seen of the other side's camera",
        "Are cameras looked at, and what is seen?",
        ("result",),
    ),
    Metric(
        "serendip_snap_agreement",
        "counter",
        "what both people gave of one camera: the same scene (agrees), another (differs), or that cannot be said (open)",
        "Does a client show one picture and send another?",
        ("result",),
    ),
    Metric(
        "serendip_veils",
        "counter",
        "strangers that a page was told to blur (on), and no longer (off), and calls that ended since pictures could not be checked",
        "How often does the program step in?",
        ("result",),
    ),
)
PICTURED_VALUES: dict[str, dict[str, tuple[str, ...]]] = {
    "serendip_pictures_taken": {"result": ("theirs", "mine", "late", "refused", "failed", "forgotten")},
    "serendip_sent_pictures_taken": {"result": ("taken", "refused", "given", "late", "gone", "forgotten")},
    "serendip_sent_pictures": {
        "result": (
            "allowed",
            "ended",
            "asked",
            "clean",
            "unsure",
            "hit",
            "undecided",
            "unchecked",
            "refused",
            "known",
        ),
    },
    "serendip_omegle_uploads": {"result": ("passed", "clean", "unsure", "hit", "undecided")},
    "serendip_snaps": {
        "result": ("asked", "answered", "nosnap", "missed", "clean", "unsure", "hit", "undecided"),
    },
    "serendip_snap_agreement": {"result": ("agrees", "differs", "open")},
    "serendip_veils": {"result": ("on", "off", "unchecked")},
}
