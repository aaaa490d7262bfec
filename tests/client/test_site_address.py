"""Test that what people type as a site's address leads to its WebSocket."""

import pytest

from serendip_client.site_address import client_address, socket_address


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("https://chat.example", "wss://chat.example/ws"),
        ("https://chat.example/", "wss://chat.example/ws"),
        ("http://127.0.0.1:8080", "ws://127.0.0.1:8080/ws"),
        ("chat.example", "wss://chat.example/ws"),
        ("chat.example:8443", "wss://chat.example:8443/ws"),
        ("localhost:8080", "ws://localhost:8080/ws"),
        ("[::1]:8080", "ws://[::1]:8080/ws"),
        ("wss://chat.example/ws", "wss://chat.example/ws"),
    ],
)
def test_an_address_leads_to_the_websocket(typed: str, address: str) -> None:
    assert socket_address(typed) == address


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://chat.example", "wss://chat.example/ws"),
        ("http://127.0.0.1:8080/", "ws://127.0.0.1:8080/ws"),
        ("ws://127.0.0.1:8080/ws", "ws://127.0.0.1:8080/ws"),
        ("https://chat.example/other", "https://chat.example/other"),
        ("localhost:8080", "localhost:8080"),
    ],
)
def test_a_client_takes_a_sites_address_and_guesses_no_other(url: str, address: str) -> None:
    assert client_address(url) == address
