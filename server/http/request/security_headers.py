"""Set the security headers of all responses: nothing from other origins, no inline script or style, no framing.

A handler that sets its own Content-Security-Policy keeps it.
"""

# Everything that a browser can open by itself gets all headers; parts of a document get two. `guard` does not change a policy that is set.

import re

from aiohttp import web

# The default: no script and no generated picture.
DOCUMENT = (
    "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; manifest-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
READ = f"{DOCUMENT}; script-src 'self'"  # HTML documents have one script, for the chosen theme (look.js)
# The page: its modules, a policy for the service worker's address (a sink of Trusted Types), the camera's pictures.
PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' blob:; "
    "media-src 'self' blob:; connect-src 'self'{sockets}; worker-src 'self'; manifest-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types serendip-worker"
)
FRAMING = "; frame-src {origin}"  # for a captcha provider's challenge in a frame (server.trust.challenge.captcha_frame)
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# Headers that only documents obey: on a script or a style they would be a kilobyte for nothing, ten times in a first load.
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
_PARTS = {  # parts of a document; a browser may open anything else as a document (text, SVG)
    *("text/css", "text/javascript", "application/json", "application/manifest+json", "font/woff2", "image/png"),
}
_HOST = re.compile(r"(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")


def page_policy(host: str, secure: bool, framed: str = "") -> str:
    """Return the page's policy. `secure`: the browser uses HTTPS, and must continue to; `framed`: the origin whose documents the page may frame.

    Older Safari does not count a socket as 'self', so the socket's URL is named, unless `host` is invalid.
    """
    known = _HOST.fullmatch(host)
    return PAGE.format(sockets=f" {'wss' if secure else 'ws'}://{host}" if known else "") + (
        FRAMING.format(origin=framed) if framed else ""
    )


# The label that family filters know (https://www.rtalabel.org).
RTA = "RTA-5042-1996-1400-1577-RTA"


async def label(_request: web.Request, response: web.StreamResponse) -> None:
    """Label each page as restricted to adults, if `safety.rta` is on (`app.on_response_prepare`)."""
    if response.content_type == "text/html":
        response.headers.setdefault("Rating", RTA)


async def guard(_request: web.Request, response: web.StreamResponse) -> None:
    """Add the security headers that the handler did not set (`app.on_response_prepare`)."""
    response.headers.pop("Server", None)  # do not reveal which programs and versions run here
    wanted = ALWAYS if response.content_type in _PARTS else ALWAYS | OF_DOCUMENTS
    if response.content_type == "text/html":
        response.headers.setdefault("Content-Security-Policy", READ)
    for name, value in wanted.items():
        response.headers.setdefault(name, value)
