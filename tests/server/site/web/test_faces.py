"""A stranger has a face and a name for one chat: the same on the page and in the saved log, another for each of the two."""

import re

from playwright.sync_api import expect

from server.http.words.chat_faces import faces_of, name_of
from server.http.words.sentence_formatter import said
from tests.server.site.web.conftest import Opener, meet
from tests.server.site.web.servers import Server
from tests.server.site.web.test_two_windows import say
from tests.support.pictures import picture

# The two of the last would have one colour.
CHATS = ["9e8d0dd96d20dbe", "7fffffffffffffff", "c001", "0", "123400012340001", "ffffffff00000000", "130023"]
ENGLISH = said()["en"]


def test_the_page_derives_the_faces_that_the_server_does(window: Opener, server: Server) -> None:
    page = window(server.url)
    found = page.evaluate(
        """async (chats) => {
          const base = document.querySelector('script[type=module]').src.replace('app.js', '');
          const { loadRest } = await import(base + 'words.js');
          await loadRest();
          const { faceOf, nameOf } = await import(base + 'face.js');
          return chats.map((chat) => [1, 2].map((side) => [faceOf(chat, side), nameOf(faceOf(chat, side))]));
        }""",
        CHATS,
    )
    assert found == [[[face, name_of(face, ENGLISH)] for face in faces_of(chat)] for chat in CHATS]


def test_each_sees_the_other_by_a_name_that_is_in_bar_card_and_saved_log(window: Opener, server: Server) -> None:
    anna, ben = meet(window, server.url, "faces")
    names = [page.locator(".bar h1").inner_text() for page in (anna, ben)]
    assert len(set(names)) == 2
    for page, name in zip((anna, ben), names, strict=True):
        assert re.fullmatch(r"[A-Z][a-z]+ [A-Z][a-z]+", name)
        expect(page.locator(".bar .mask")).to_be_visible()
        expect(page.locator(".card")).to_contain_text(f"Here they are {name}")
    say(anna, "who are you tonight?")
    say(ben, "somebody with feathers")
    expect(ben.locator(".line.them .bubble")).to_have_css("border-inline-start-width", "3px")
    expect(anna.locator(".line")).to_have_count(2)
    picture(anna, "face-chat")
    anna.get_by_role("button", name="More", exact=True).click()
    anna.get_by_role("button", name="Save this chat").click()
    anna.get_by_role("button", name="Save and get the link").click()
    log = window(anna.locator("#saved-link").input_value())
    shown = [text.strip() for text in log.locator(".transcript b:not(.hush)").all_inner_texts()]
    assert [name in line for name, line in zip(reversed(names), shown, strict=True)] == [True, True], (names, shown)
    picture(log, "face-log")
