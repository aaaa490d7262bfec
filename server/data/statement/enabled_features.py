"""What a deployment has switched on, as far as the statement speaks of it. Rule: what is off is not in the text."""

from __future__ import annotations

from server.ops.config.settings import Settings


def features(settings: Settings) -> frozenset[str]:
    """The names that `needs` of an item or text may say (server.data.privacy.registry_model)."""
    video, store = settings.video, settings.store.enabled
    found = {
        "store": store,
        "console": store and settings.console.enabled,
        "objects": store and bool(settings.objects.url),
        "video": video.enabled,
        "ice": video.enabled and bool(video.stun or video.turn),
        "relay": video.enabled and bool(video.turn),
        "mail": bool(settings.mail.host),
        "translation": bool(settings.translation.url),
        "captcha": settings.challenge.company is not None,
        "captcha.address": settings.challenge.company is not None and settings.challenge.send_address,
        "omegle": settings.omegle.enabled,
        "screening": settings.screening.text != "off",
        "proxy": bool(settings.server.proxies),
        "hosts": bool(settings.cluster.nats),
        "pictures": store and video.enabled and settings.pictures.mode != "off",
        "pictures.provider": store and video.enabled and bool(settings.pictures.sent_to),
    }
    return frozenset(name for name, on in found.items() if on)


def holds(needs: str, on: frozenset[str]) -> bool:
    """Whether something that needs a feature is there; `no-` before the name: where it is off."""
    return needs.removeprefix("no-") not in on if needs.startswith("no-") else not needs or needs in on
