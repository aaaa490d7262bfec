"""The headers of answers to a browser: nothing from elsewhere, nothing inline, nobody may frame us.

Rule: strict for all that can be opened by itself; what only belongs to a document carries two. A handler that needs
another Content-Security-Policy sets it itself, and `guard` leaves it alone.
"""

import re

from aiohttp import web

# What says nothing has no script and no picture of its own making.
DOCUMENT = (
    "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; manifest-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
READ = f"{DOCUMENT}; script-src 'self'"  # HTML has one, for the theme that was chosen (look.js)
# The page: modules of ours, a policy for the service worker's address (a sink of Trusted Types), the camera's pictures.
PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' blob:; "
    "media-src 'self' blob:; connect-src 'self'{sockets}; worker-src 'self'; manifest-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types serendip-worker"
)
FRAMING = "; frame-src {origin}"  # where a company's challenge runs in a frame (server.trust.challenge.captcha_frame)
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# What only a document obeys: on a script or a style it would be a kilobyte for nothing, ten times in a first load.
OF_DOCUMENTS = {
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",  # for browsers that do not know frame-ancestors
    "Permissions-Policy": (
        "camera=(self), microphone=(self), fullscreen=(self), picture-in-picture=(self), speaker-selection=(self), "
        "autoplay=(self), clipboard-write=(self), geolocation=(), payment=(), usb=(), serial=(), hid=(), "
        "midi=(), display-capture=(), accelerometer=(), gyroscope=(), magnetometer=(), idle-detection=(), "
        "browsing-topics=()"
    ),
    "Content-Security-Policy": DOCUMENT,
}
_PARTS = {  # what a document is made of; all else a browser may open as one (a text, a picture made of markup)
    *("text/css", "text/javascript", "application/json", "application/manifest+json", "font/woff2", "image/png"),
}
_HOST = re.compile(r"(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")


def page_policy(host: str, secure: bool, framed: str = "") -> str:
    """The page's policy; `secure`: the browser came by HTTPS, and goes on only so; `framed`: the origin whose documents it may frame.

    Older Safari does not count a socket as 'self', so it is named, unless `host` is strange."""
    known = _HOST.fullmatch(host)
    return PAGE.format(sockets=f" {'wss' if secure else 'ws'}://{host}" if known else "") + (
        FRAMING.format(origin=framed) if framed else ""
    )


# What filters of families know (https://www.rtalabel.org).
RTA = "RTA-5042-1996-1400-1577-RTA"


async def label(_request: web.Request, response: web.StreamResponse) -> None:
    """`app.on_response_prepare`, where `safety.rta` is on: each page says that it is for adults."""
    if response.content_type == "text/html":
        response.headers.setdefault("Rating", RTA)


async def guard(_request: web.Request, response: web.StreamResponse) -> None:
    """`app.on_response_prepare`: put in what the handler left out."""
    response.headers.pop("Server", None)  # which programs answer, and of what version, is nobody's concern
    wanted = ALWAYS if response.content_type in _PARTS else ALWAYS | OF_DOCUMENTS
    if response.content_type == "text/html":
        response.headers.setdefault("Content-Security-Policy", READ)
    for name, value in wanted.items():
        response.headers.setdefault(name, value)
