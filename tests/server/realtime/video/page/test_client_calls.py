"""Test the JavaScript client in two real windows: imported from the server, without the page, with false cameras."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.server.site.web.conftest import Opener, Watch
from tests.server.site.web.servers import Network, Server

# Chromium's own words for a connection that was cut.
FAILED = ("WebSocket connection to", "Failed to load resource", "net::ERR_")
BEGIN = """async () => {
  const { Client } = await import('/client/v1.js');
  globalThis.me = new Client();
  globalThis.heard = [];
  globalThis.told = [];
  globalThis.drops = 0;
  me.on('dropped', () => { drops += 1; });
  me.on('message', ({ text }) => heard.push(text));
  return me.url;
}"""
MEET = """async (mode) => {
  const chat = await me.search({ mode, interests: ['a client in a window'], again: true });
  return chat.chat;
}"""
CALL = """async () => {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
  globalThis.call = await me.call(stream);
  for (const type of ['live', 'theirs', 'ended']) call.addEventListener(type, () => told.push(type));
}"""
FRAMES = """async () => {
  for (const entry of (await call.stats())?.values() ?? [])
    if (entry.type === 'inbound-rtp' && entry.kind === 'video' && entry.framesDecoded > 2) return true;
  return false;
}"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with video chats."""
    server = Server(tmp_path_factory.mktemp("data"), SERENDIP_VIDEO__ENABLED="true")
    yield server
    server.stop()


def begun(window: Opener, url: str) -> Page:
    """A window with a client and nothing else."""
    page = window(f"{url.rstrip('/')}/client/v1.js", permissions=["camera", "microphone"])
    assert page.evaluate(BEGIN) == url.rstrip("/").replace("http", "ws") + "/ws"
    return page


def together(pages: list[Page], mode: str) -> None:
    """Both search, and meet."""
    for page in pages:
        page.evaluate(f"(mode) => {{ globalThis.met = ({MEET})(mode); }}", mode)
    first, second = (page.evaluate("met") for page in pages)
    assert first == second


def test_two_windows_talk_by_the_client_alone_and_a_cut_costs_nothing(
    window: Opener, server: Server, watch: Watch
) -> None:
    watch.quiet = FAILED
    network = Network(server.port)
    try:
        pages = [begun(window, network.url), begun(window, server.url)]
        together(pages, "text")
        assert pages[0].evaluate("me.say('hello')") == {"seq": 1}
        network.cut()
        pages[0].wait_for_function("() => me.getSnapshot().link === 'lost'")
        pages[0].evaluate("() => { globalThis.said = me.say('from away'); }")
        assert pages[1].evaluate("me.say('to away')") == {"seq": 2}
        pages[0].wait_for_function("() => drops > 2")  # of what says why, and of other ways, nothing could be loaded
        network.mend()
        assert pages[0].evaluate("said") == {"seq": 3}
        pages[0].wait_for_function("() => heard.length === 1")
        pages[1].wait_for_function("() => heard.length === 2")
        assert [page.evaluate("heard") for page in pages] == [["to away"], ["hello", "from away"]]
    finally:
        network.close()


def test_a_call_is_made_answers_with_the_chat_and_ends_with_it(window: Opener, server: Server) -> None:
    pages = [begun(window, server.url), begun(window, server.url)]
    together(pages, "video")
    for page in pages:
        page.evaluate(CALL)
    for page in pages:
        page.wait_for_function("() => told.includes('live')", timeout=30_000)
        page.wait_for_function(FRAMES, timeout=30_000)
    pages[0].evaluate("call.curtain(true)")
    pages[1].wait_for_function("() => call.theirs.curtain === true")
    picture = """async () => {
      const { takePictures } = await import('/client/stills.js');
      const posted = [];
      const real = fetch;
      globalThis.fetch = async (url, { body }) => (posted.push([`${url}`.split('/').slice(-2).join('/'), body.type, body.size]), { ok: true });
      const refused = [];
      const asked = { nonce: 'n', tiles: 3, gap: 20, mine: true, within: 8 };
      await takePictures(asked, call.remote, call.remote, { url: me.url, noSnap: (nonce, why) => refused.push(why) });
      globalThis.fetch = real;
      return [posted.sort(), refused];
    }"""
    posted, refused = pages[0].evaluate(picture)
    assert refused == []
    assert [(name, kind) for name, kind, _ in posted] == [("n/mine", "image/jpeg"), ("n/theirs", "image/jpeg")]
    assert all(0 < size <= 49_152 for *_, size in posted)
    pages[0].evaluate("me.leave()")
    pages[1].wait_for_function("() => told.includes('ended')")
