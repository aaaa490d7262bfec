"""The windows of the page's tests, for the documents. Imported in a module, the browser would live until the process ends."""

from tests.server.site.web.conftest import browser, watch, window

__all__ = ["browser", "watch", "window"]
