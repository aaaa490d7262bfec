"""No parser of a stranger's text costs more than a bound: every parser with the text that is worst for it.

Rule: what is measured is CPU time of the thread, the least of a few tries, so that a busy machine only costs more tries; the bound is
ten times what the parser takes and a hundredth of what a quadratic one takes.
"""

import contextlib
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote, urlencode

import orjson
import pytest
from aiohttp.test_utils import make_mocked_request

from engine.matching.interest_normalisation import BadInterest, normal
from engine.wire.client_requests import Find, parse
from engine.wire.engine_errors import Refusal
from ext.accept.handshake import Judge
from ext.reactor.debug_hooks import examine
from server.data.chat_logs.routes import wanted
from server.http.request.forms import BadForm, Form, read
from server.ops.security.avoid_tokens import AvoidTokens
from server.ops.security.secret_keys import Keys, Secret
from server.realtime.video.signal_scrub import scrub
from server.site.college.college_addresses import CollegeAddress, NotCollege, load_domains
from server.site.omegle.log_generation import account
from server.site.omegle.start_parameters import BadStart, parse_find
from server.trust.moderators.passkeys import NotProved, Passkeys
from tests.ext.net.rig import head

KIB = 1024
TRIES = 5
AVOID = AvoidTokens(Keys(Secret(bytes(32), 1)))


def spent(parse: Callable[[], object]) -> float:
    """Milliseconds of CPU that one call costs, the least of a few; a Refusal is an answer."""
    least = float("inf")
    for _ in range(TRIES):
        began = time.thread_time()
        with contextlib.suppress(Refusal, BadForm, BadStart, NotCollege, NotProved):
            parse()
        least = min(least, time.thread_time() - began)
    return least * 1000


def offer(line: str) -> Callable[[], object]:
    """A description whose one long line is `line`, for somebody who hides the address."""
    body = {"description": {"type": "offer", "sdp": f"v=0\r\n{line}"[: 32 * KIB]}}
    return lambda: scrub(body)


def find(*words: str) -> Callable[[], object]:
    """The interests of a find, read and made keys of, as the engine does it."""
    payload = orjson.dumps({"type": "find", "interests": words})

    def run() -> None:
        request = parse(payload)
        assert isinstance(request, Find)
        with contextlib.suppress(BadInterest):
            for word in request.interests:
                normal(word)

    return run


def sent(payload: bytes) -> Callable[[], object]:
    """A text frame, filled up to 63 KiB with what `payload` has between its marks."""
    begun, filling, end = payload.split(b"|")
    whole = begun + filling * ((63 * KIB - len(begun) - len(end)) // len(filling)) + end
    return lambda: parse(whole)


def handshake(**fields: str) -> Callable[[], object]:
    """A request head of nearly 16 KiB, from a proxy that is trusted, whose fields are filled up."""
    judge = Judge(hosts=["localhost"], origins=["https://chat.example"], proxies=["127.0.0.1"])
    whole = head(**fields)
    assert 14 * KIB < len(whole) <= 16 * KIB, len(whole)
    return lambda: examine(judge, whole, "127.0.0.1")


def start(**fields: str) -> Callable[[], object]:
    """`/start` of a program of Omegle's protocol: from its form to a find that is read."""
    body = urlencode(fields)[: 64 * KIB]

    def run() -> None:
        parse(orjson.dumps(parse_find(Form(read(body)))))

    return run


def told(log: str, topics: str = "[]") -> Callable[[], object]:
    """`/generate`: a client's own account of a chat."""
    body = f"log={quote(log[: 20 * KIB])}&topics={quote(topics[: 20 * KIB])}"[: 64 * KIB]
    return lambda: account(Form(read(body)), 0.0)


def form(body: str) -> Callable[[], object]:
    """A form of 64 KiB, and what is asked of it."""

    def run() -> None:
        asked = Form(read(body[: 64 * KIB]))
        for name in ("id", "log", "topics", "lang", "randid", "desc"):
            asked.get(name), asked.flag(name), asked.all(name)

    return run


def mailed(address: str) -> Callable[[], object]:
    """An address in a body of 4 KiB, as college mode reads it."""
    load_domains()
    return lambda: CollegeAddress(address[: 4 * KIB])


def accepted(types: str) -> Callable[[], object]:
    """What a browser or a program that asks for a saved log accepts, in a head of 16 KiB."""
    request = make_mocked_request("GET", "/log/x", headers={"Accept": types[: 15 * KIB]})
    return lambda: wanted(request)


def passkey(**parts: bytes) -> Callable[[], object]:
    """What a browser brings to the console's door, filled up to the 16 KiB that are read."""
    response = {name: urlsafe_b64encode(part[: 11 * KIB]).decode() for name, part in parts.items()}
    said = orjson.dumps({"id": "AA", "rawId": "AA", "type": "public-key", "response": response}).decode()
    passkeys = Passkeys("http://localhost:9466")
    return lambda: (passkeys.made if "attestationObject" in parts else passkeys.shown)(said, "a question")


CLIENT = b'{"type":"webauthn.create","challenge":"AAAA","origin":"http://localhost:9466"}'

# what, milliseconds at most, and the call
WORST: list[tuple[str, float, Callable[[], object]]] = [
    ("scrub: colons", 50, offer("a=x:" + ":" * 32 * KIB)),
    ("scrub: groups of hex digits", 50, offer("a=x:" + "a:" * 16 * KIB)),
    ("scrub: hex digits and one dot", 50, offer("a=x:" + "ab" * 15_900 + ".")),
    ("scrub: digits", 50, offer("a=fmtp:" + "1" * 32 * KIB + ".")),
    ("scrub: names of mDNS that are none", 50, offer("m=" + ".local-" * 4_500)),
    ("interests: what grows eighteen times, among what does not show", 15, find(*["\ufdfa" * 3 + "\u200b" * 253] * 8)),
    ("interests: what grows eighteen times", 15, find(*["\ufdfa" * 64] * 32)),
    ("interests: letters under many marks", 15, find(*["a" + "\u0301\u0323" * 31 + "b"] * 32)),
    ("interests: marks that are taken apart", 15, find(*["\u0f73\u0344" * 32] * 32)),
    ("interests: variation selectors", 15, find(*["a" + "\ufe0f" * 255] * 8)),
    ("interests: half characters", 15, find(*["\ufffe" * 64] * 32)),
    ("language: subtags", 1, lambda: parse(orjson.dumps({"type": "find", "language": "en" + "-a" * 16}))),
    (
        "language: subtags that end wrong",
        1,
        lambda: parse(orjson.dumps({"type": "find", "language": "en-a" * 8 + "_"})),
    ),
    ("language: 63 KiB", 5, sent(b'{"type":"find","language":"en|-aaaaaaaa|_"}')),
    ("frame: as deep as it is long", 5, sent(b'{"type":"find","interests":|[|')),
    ("frame: deep objects", 5, sent(b'{"type":"find","interests":|{"a":|')),
    ("frame: deep, and half a character", 5, sent(b'{"type":"find","a":"\\ud800","b":|[|')),
    ("frame: half characters", 10, sent(b'{"type":"message","text":"|\\ud800|"}')),
    ("frame: half characters as the id", 10, sent(b'{"type":"message","text":"\\ud800","id":"|\\ud800|"}')),
    ("frame: half characters as fields", 40, sent(b'{|"\\ud800":0,|"type":"find"}')),
    ("frame: escapes", 5, sent(b'{"type":"message","text":"|\\u00e9|"}')),
    ("frame: controls", 5, sent(b'{"type":"message","text":"|\\u0000|"}')),
    ("frame: digits", 5, sent(b'{"type":|1|}')),
    ("frame: digits, and half a character", 5, sent(b'{"a":"\\ud800","type":|1|}')),
    ("frame: a long exponent", 5, sent(b'{"a":"\\ud800","type":1e|1|}')),
    ("frame: the same field", 5, sent(b'{|"type":"find",|"type":"find"}')),
    ("frame: interests", 10, sent(b'{"type":"find","interests":[|"a",|"a"]}')),
    ("frame: white space", 5, sent(b'{"type":"find",| |"a":0}')),
    ("frame: a type that is unknown", 5, sent(b'{"type":"|x|"}')),
    ("frame: whom to avoid", 10, sent(b'{"type":"find","avoid":[|"a",|"a"]}')),
    ("avoid: tokens that are good", 5, lambda: AVOID.open(["A" * 55, *[AVOID.make(n)[0] for n in range(15)]])),
    ("head: cookies", 10, handshake(cookie="id=;" * 3_800)),
    ("head: white space in cookies", 10, handshake(cookie="id= ; \t" * 2_100)),
    ("head: forwarded through many", 10, handshake(x_forwarded_for="127.0.0.1," * 1_500)),
    ("head: forwarded, colons", 10, handshake(x_forwarded_for=":" * 15_000)),
    ("head: forwarded, groups", 10, handshake(x_forwarded_for="a:" * 7_500)),
    ("head: a scope", 10, handshake(x_forwarded_for="fe80::1%" + "x" * 15_000)),
    ("head: options of the connection", 10, handshake(connection="upgrade," * 1_900)),
    ("head: commas of the connection", 10, handshake(connection="," * 15_000)),
    ("head: an origin", 10, handshake(origin="https://" + "a." * 7_400)),
    ("head: a host", 10, handshake(host="a." * 7_400)),
    ("head: a host of digits and colons", 10, handshake(host="[" + "1:" * 7_400 + "]")),
    ("head: a target", 10, handshake(user_agent="x", path="/ws?" + "%" * 15_000)),
    ("form: the same name", 10, form("id=&" * 250)),
    ("form: more fields than are read", 10, form("a&" * 32 * KIB)),
    ("form: percents", 20, form("log=" + "%" * 64 * KIB)),
    ("form: escapes far between", 200, form("log=" + "%41a" * 16 * KIB)),
    ("form: bytes that are no text", 100, form("log=" + "%ff" * 21 * KIB)),
    ("form: pluses", 10, form("log=" + "+" * 64 * KIB)),
    ("start: topics", 60, start(topics=orjson.dumps(["a"] * 10_000).decode())),
    ("start: deep topics", 60, start(topics="[" * 20 * KIB)),
    ("start: topics in odd characters", 60, start(topics=orjson.dumps(["\ufdfa" * 64] * 200).decode())),
    ("start: a language", 10, start(lang="en" + "-a" * 20 * KIB)),
    ("start: a question", 50, start(ask="\u0301" * 10 * KIB)),
    ("generate: lines", 60, told(orjson.dumps([["You:", ""]] * 2_000).decode()[:-1] + "]")),
    ("generate: white space as who", 60, told('[["' + " " * 20 * KIB)),
    ("generate: deep", 60, told("[" * 20 * KIB)),
    ("generate: topics that are lists", 60, told('[["You:","a"]]', "[" + ",".join(["[[[[1]]]]"] * 2_000) + "]")),
    ("college: dots before the at", 10, mailed("a." * 2 * KIB + "@uio.no")),
    ("college: the longest that is looked at", 10, mailed("a" * 60 + "@" + "a." * 94 + "edu")),
    ("college: hyphens", 10, mailed("a@" + "a-" * 120 + ".edu")),
    ("college: a host that is no ASCII", 20, mailed("a@" + "\u00e9." * 120 + "no")),
    ("college: ats", 10, mailed("@" * 4 * KIB)),
    ("saved logs: types", 5, accepted("a/b;q=0.1," * 1_500)),
    ("saved logs: weights", 5, accepted("a/b" + ";q=1" * 3_700)),
    ("saved logs: a long weight", 5, accepted("a/b;q=" + "1" * 15_000)),
    ("passkey: deep", 10, lambda: Passkeys("http://localhost").shown("[" * 16_000, "a question")),
    ("passkey: deep lists", 50, passkey(clientDataJSON=CLIENT, attestationObject=b"\x81" * 11 * KIB)),
    ("passkey: deep maps", 50, passkey(clientDataJSON=CLIENT, attestationObject=b"\xa1\x00" * 6 * KIB)),
    ("passkey: a list without an end", 50, passkey(clientDataJSON=CLIENT, attestationObject=b"\x9b" + b"\xff" * 8)),
    ("passkey: small things", 50, passkey(clientDataJSON=CLIENT, attestationObject=b"\x99\x2a\x00" + b"\x00" * 11_000)),
    (
        "passkey: what it was asked, deep",
        10,
        passkey(clientDataJSON=b"[" * 11 * KIB, authenticatorData=b"", signature=b""),
    ),
    ("scrub: many lines of groups", 50, offer("\r\n".join(["a=x:" + "a:b:c:d:e:f:1:" * 10] * 220))),
]


@pytest.mark.parametrize(("what", "most", "parse"), WORST, ids=[what for what, _, _ in WORST])
def test_the_worst_text_costs_a_bounded_time(what: str, most: float, parse: Callable[[], object]) -> None:
    assert spent(parse) < most, what
