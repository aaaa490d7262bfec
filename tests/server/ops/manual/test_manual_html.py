"""The manual as HTML: links stay within it, headings can be linked to, and nothing of the Markdown becomes markup of its own."""

import re

from server.ops.manual.manual import INDEX, manual
from server.ops.manual.manual_html import address, rendered


def test_links_lead_within_the_manual_or_to_the_web_and_nowhere_else() -> None:
    text = "[a](deploy.md#upgrade) [b](#by-symptom) [c](../configuration.md) [d](../../grafana/alerts.yml) [e](https://x.example) ![f](p.png)"
    assert rendered("runbook", text) == (
        '<p><a href="/help/deploy#upgrade">a</a> <a href="/help/runbook#by-symptom">b</a> <a href="/help/configuration">c</a> d '
        '<a href="https://x.example">e</a> f</p>\n'
    )


def test_markup_and_scripts_are_shown_as_they_are_written() -> None:
    text = rendered("runbook", "<script>x</script> [y](javascript:alert(1)) `<b>`")
    assert "<script" not in text
    assert "javascript:" not in re.findall(r'href="([^"]*)"', text)
    assert "<b>" not in text


def test_every_page_is_rendered_and_every_link_in_it_has_its_heading() -> None:
    pages = {name: rendered(name, text) for name, text in manual().pages.items()}
    ids = {address(name, found) for name, text in pages.items() for found in re.findall(r'id="([^"]+)"', text)}
    ids |= {address(name) for name in pages}
    linked = {link for text in pages.values() for link in re.findall(r'href="(/help[^"]*)"', text)}
    assert linked - ids == set()
    assert address(INDEX) == "/help"
