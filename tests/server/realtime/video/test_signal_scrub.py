"""No address but a relay's leaves in a signal of a chat in which somebody hides theirs, whatever the description looks like."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.wire.engine_errors import Refusal
from server.realtime.video.signal_scrub import description, scrub, tells

HOST = "192.0.2.77"
SIX = "2001:db8::dead:77"
NAME = "6f3c1a52-93f7-4a1e-8f1f-0a8b6a1e77aa.local"
RELAY = "198.51.100.9"
PRINT = ":".join(["AB", "CD", "EF", "01"] * 8)
OFFER = "\r\n".join([
    "v=0", f"o=mozilla 4611731400430051336 2 IN IP4 {HOST}", "s=-", f"c=IN IP6 {SIX}", "t=0 0", "a=group:BUNDLE 0 1",
    "a=extmap-allow-mixed", "a=msid-semantic: WMS *", "m=audio 50321 UDP/TLS/RTP/SAVPF 111 63", f"c=IN IP4 {HOST}", "b=AS:128",
    f"a=rtcp:50322 IN IP4 {HOST}", f"a=candidate:1 1 udp 2122260223 {HOST} 50321 typ host generation 0 network-id 1",
    f"a=candidate:2 1 udp 2122260223 {NAME} 50321 typ host", f"a=candidate:3 1 udp 2122260223 {SIX} 50321 typ host",
    f"a=candidate:4 1 udp 1686052607 203.0.113.5 50321 typ srflx raddr {HOST} rport 50321",
    f"a=candidate:5 1 udp 41885439 {RELAY} 61000 typ relay raddr 203.0.113.5 rport 50321 generation 0 ufrag aB+/ network-cost 999",
    f"a=candidate:6 1 tcp 1518280447 {HOST} 9 typ host tcptype active", "a=end-of-candidates", "a=ice-ufrag:aB+/",
    "a=ice-pwd:asd88fgpdd777uzjYhagZg", "a=ice-options:trickle", f"a=fingerprint:sha-256 {PRINT}", "a=setup:actpass", "a=mid:0",
    "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level", "a=sendrecv", "a=rtpmap:111 opus/48000/2",
    "a=fmtp:111 minptime=10;useinbandfec=1", "a=ssrc:1 cname:4TOk42mSjXCkVIa6", "m=video 9 UDP/TLS/RTP/SAVPF 96",
    f"a=remote-candidates:1 {HOST} 4", "a=mid:1", "a=rtcp-fb:96 nack pli", "m=application 0 UDP/DTLS/SCTP webrtc-datachannel", "",
])  # fmt: skip


def test_a_browsers_offer_keeps_all_but_its_addresses() -> None:
    made = description(OFFER)
    assert not any(address in made for address in (HOST, SIX, NAME, "203.0.113.5", "50321", "50322"))
    for line in OFFER.split("\r\n"):
        kept = line.startswith("a=") and not line.startswith(("a=candidate", "a=rtcp:", "a=remote-candidates"))
        assert not kept or line in made
    assert [line for line in made.split("\r\n") if RELAY in line] == [
        f"a=candidate:{candidate_of(made)} 1 udp 41885439 {RELAY} 61000 typ relay raddr 0.0.0.0 rport 9 generation 0 ufrag aB+/ network-cost 999"
    ]
    assert "o=- 4611731400430051336 2 IN IP4 0.0.0.0\r\n" in made
    assert "m=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\nc=IN IP4 0.0.0.0\r\n" in made
    assert "m=application 0 UDP/DTLS/SCTP" in made
    assert f"a=fingerprint:sha-256 {PRINT}" in made
    assert description(made) == made


def candidate_of(made: str) -> str:
    """The foundation of the one candidate."""
    found = re.search(r"a=candidate:(\S+)", made)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(
    "line",
    [
        f"candidate:1 1 udp 2122260223 {HOST} 5000 typ host",
        f"candidate:1 1 udp 2122260223 {NAME} 5000 typ host",
        f"candidate:1 1 udp 2122260223 {NAME} 5000 typ relay",
        f"candidate:1 1 udp 1 {HOST} 5000 typ srflx raddr 10.0.0.1 rport 1",
        f"candidate:1 1 udp 1 {HOST} 5000 typ prflx raddr 10.0.0.1 rport 1",
        f"candidate:1 1 udp 1 {HOST} 5000 typ host typ relay",
        f"candidate:1 1 udp 1 {RELAY} 5000 typ relay\r\na=candidate:1 1 udp 1 {HOST} 5000 typ host",
        "<script>alert(1)</script>",
        "candidate:",
    ],
)
def test_a_candidate_that_is_no_relays_does_not_pass(line: str) -> None:
    assert scrub({"candidate": {"candidate": line, "sdpMid": "0"}}) is None


def test_a_relays_candidate_passes_without_where_it_came_from() -> None:
    line = f"candidate:77 1 UDP 41885439 {RELAY} 61000 typ relay raddr {HOST} rport 5000 generation 0 x-addr {HOST}"
    passed = scrub({"candidate": {"candidate": line, "sdpMid": "0", "sdpMLineIndex": 0, "usernameFragment": "ab"}})
    assert passed is not None
    text = passed["candidate"]["candidate"]
    assert HOST not in text
    assert "candidate:77 " not in text, "the foundation is made of the hidden address"
    assert text.endswith("typ relay raddr 0.0.0.0 rport 9 generation 0")


@pytest.mark.parametrize("part", [{"candidate": None}, {"candidate": {"candidate": "", "sdpMid": "0"}}])
def test_the_end_of_candidates_passes(part: dict[str, object]) -> None:
    assert scrub(part) == part


def test_media_signs_pass_as_they_are() -> None:
    assert scrub({"media": {"camera": False}}) == {"media": {"camera": False}}


def test_an_address_in_another_field_of_a_candidate_does_not_pass() -> None:
    line = f"candidate:1 1 udp 1 {RELAY} 5000 typ relay"
    assert scrub({"candidate": {"candidate": line, "sdpMid": HOST}}) is None


@pytest.mark.parametrize("sdp", ["hello", "<script>alert(1)</script>", "a=sendrecv\r\nv=0\r\n", "\r\n" * 3_000])
def test_what_is_no_description_is_refused(sdp: str) -> None:
    with pytest.raises(Refusal):
        description(sdp)


@pytest.mark.parametrize(
    "line",
    [
        f"a=x-note:{HOST}", f"a=x-note:{SIX}", f"a=tool:{NAME}", f"i={HOST}", f"u=http://{HOST}/", "e=a@example.org", f"s={HOST}",
        f"b=AS:{HOST}", f"t=0 0 {HOST}", f"a=candidate:1 1 udp 1 {HOST} 1 typ host", f"A=candidate {HOST}", f" a={HOST}",
        f"c=IN IP4\t{HOST}", f"a=rtcp:{HOST}", f"m=audio 9 {HOST} 0", f"o=x 1 1 IN IP4 {HOST}", f"o={HOST}", f"c={HOST}",
        f"a=CANDIDATE:1 1 udp 1 {HOST} 1 typ host", f"a=fe80::1%eth0 {HOST}", "a=x:fe80::77", "a=x fe80::77%eth0", "a=x-n:[fe80::77]",
        "a=x １９２.０.２.７７", f"z={HOST}", f"k=clear:{HOST}",
    ],
)  # fmt: skip
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_no_line_of_any_kind_carries_an_address_through(line: str, end: str) -> None:
    made = description(end.join(["v=0", line, "a=mid:0", ""]))
    assert not any(mark in made for mark in (HOST, "::77", "fe80", ".local", "７７", "@"))
    assert "a=mid:0" in made


@given(st.lists(st.text(st.sampled_from("acmo=: .0127feliodrypt\r\n\t%[]-"), max_size=60), max_size=20))
def test_what_comes_out_of_anything_tells_nothing(lines: list[str]) -> None:
    made = description("\r\n".join(["v=0", *lines]))
    for line in made.replace("0.0.0.0", "").split("\r\n"):
        assert "typ relay" in line or not tells(line)


@given(st.ip_addresses())
def test_every_address_is_seen_wherever_it_stands(address: object) -> None:
    assert tells(f"a=x:{address} y")
    assert tells(f"a=x [{address}]:5000")
