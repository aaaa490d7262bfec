"""Implement `serendip probe`: use a deployment as two test clients would, and print the step that failed. It needs only the address of the site.

**Invariant:** the test clients match by a random interest, so they never meet a user.
"""

import asyncio
import json
import secrets
import time
import warnings
from typing import Annotated, Any, Final

import typer

SETTLE: Final = 3.0  # seconds in which frames are counted

app = typer.Typer(no_args_is_help=True)


@app.callback()
def probes() -> None:
    """Try a deployment from outside."""


@app.command()
def video(
    address: Annotated[str, typer.Argument(metavar="URL", help="of the page, e.g. https://chat.example")],
    relay: Annotated[bool, typer.Option("--relay/--direct", help="through TURN alone, or directly")] = True,
    within: Annotated[float, typer.Option(help="seconds for each step")] = 15.0,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON document")] = False,
) -> None:
    """Make a video call between two test clients: match, offer, ICE, first frame, frames a second. Status 1: a step failed."""
    try:
        from serendip_client.peer import CallError
        from serendip_client.site_address import socket_address
    except ModuleNotFoundError:
        typer.echo("serendip: this needs the client and a peer: pip install './client[video]'", err=True)
        raise typer.Exit(2) from None
    warnings.simplefilter("ignore", DeprecationWarning)  # of the peer's own dependencies
    try:
        found = asyncio.run(_call(socket_address(address), relay, within))
    except CallError as error:
        typer.echo(json.dumps({"ok": False, "failed": str(error)}) if as_json else f"failed: {error}")
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps({"ok": True, **found}))
        return
    for name, value in found.items():
        typer.echo(f"{name:<24} {value}")


async def _call(url: str, relay: bool, within: float) -> dict[str, Any]:
    """Make one call between two peers; return the measurements, in seconds since `matched`."""
    from serendip_client import Client
    from serendip_client.peer import Call, CallError, Peer

    word = f"probe {secrets.token_hex(12)}"
    began = time.monotonic()
    async with Client(url) as one, Client(url) as two:
        asked = [Peer(client).call(interests=(word,), relay=relay, within=within) for client in (one, two)]
        made = await asyncio.gather(*asked, return_exceptions=True)
        calls: list[Call] = [call for call in made if not isinstance(call, BaseException)]
        try:
            for failure in made:
                if isinstance(failure, BaseException):
                    raise failure if isinstance(failure, CallError) else CallError(f"signalling: {failure!r}")
            counts = [await call.picture(within) for call in calls]
            await asyncio.sleep(SETTLE)
            return {
                "met after": round(counts[0].matched - began, 3),
                "ICE connected after": round(max(count.connected - count.matched for count in counts), 3),
                "first frame after": round(max(count.first_frame - count.matched for count in counts), 3),
                "frames a second": round(min(count.rate for count in counts), 1),
                "sounds": min(count.sounds for count in counts),
                "through": "relay" if all(call.hidden for call in calls) else "direct",
            }
        finally:
            for call in calls:
                await call.close()
