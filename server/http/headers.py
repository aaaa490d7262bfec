"""The headers that every answer to a browser carries: nothing from elsewhere, nothing inline, nobody may frame us.

Rule: strict for all; a handler that needs another Content-Security-Policy sets it itself, and `guard` leaves it alone.
"""

import re

from aiohttp import web

# Documents have no script and no picture of their own making.
DOCUMENT = (
    "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; manifest-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
# The page: modules of ours, a policy for the service worker's address (a sink of Trusted Types), the camera's pictures.
PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' blob:; "
    "media-src 'self' blob:; connect-src 'self'{sockets}; worker-src 'self'; manifest-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types serendip-worker"
)
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",  # for browsers that do not know frame-ancestors
    "Permissions-Policy": (
        "camera=(self), microphone=(self), fullscreen=(self), picture-in-picture=(self), speaker-selection=(self), "
        "autoplay=(self), clipboard-write=(self), geolocation=(), payment=(), usb=(), serial=(), hid=(), "
        "midi=(), display-capture=(), accelerometer=(), gyroscope=(), magnetometer=(), idle-detection=(), "
        "browsing-topics=()"
    ),
}
_HOST = re.compile(r"(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")


def page_policy(host: str) -> str:
    """The page's policy. Older Safari does not count wss: as 'self', so it is named, unless `host` is strange."""
    known = _HOST.fullmatch(host)
    return PAGE.format(sockets=f" wss://{host} ws://{host}" if known else "")


async def guard(_request: web.Request, response: web.StreamResponse) -> None:
    """`app.on_response_prepare`: put in what the handler left out."""
    for name, value in ALWAYS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Content-Security-Policy", DOCUMENT)
