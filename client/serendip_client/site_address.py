"""Turn a site's address, as people type it, into that of its WebSocket."""


def socket_address(address: str) -> str:
    """Return the WebSocket's address: of `https://chat.example`, `chat.example` or an address that is one already.

    A name without a scheme means TLS, except on this machine.
    """
    if address.startswith(("ws://", "wss://")):
        return address
    if "://" not in address:
        host = address.partition("/")[0].rpartition(":")[0] or address.partition("/")[0]
        local = host in ("localhost", "127.0.0.1", "[::1]")
        address = f"{'http' if local else 'https'}://{address}"
    return "ws" + address.removeprefix("http").rstrip("/") + "/ws"


def client_address(url: str) -> str:
    """Return the WebSocket's address of a site, `https://chat.example`; any other address as it is."""
    scheme, colon, rest = url.partition("://")
    return socket_address(url) if colon and scheme in ("http", "https") and "/" not in rest.rstrip("/") else url
