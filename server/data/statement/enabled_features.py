"""List the features that the privacy statement describes only if they are enabled in this deployment.

**Invariant:** a disabled feature is not mentioned.
"""

from __future__ import annotations

from server.data.statement.recipient_check import is_sent_away
from server.ops.config.settings import Settings


def features(settings: Settings) -> frozenset[str]:
    """Return the enabled features, by the names that `needs` of an item or text may have (server.data.privacy.registry_model)."""
    video, store = settings.video, settings.store.enabled
    sends = settings.pictures.offered(store) != "off"
    found = {
        "store": store,
        "console": store and settings.console.enabled,
        "objects": store and bool(settings.objects.url),
        "backups": store and bool(settings.backup.url),
        "video": video.enabled,
        "ice": video.enabled and bool(video.stun or video.turn),
        "relay": video.enabled and bool(video.turn),
        "mail": bool(settings.mail.host),
        "digest": store and bool(settings.mail.host and settings.console.digest),
        "translation": bool(settings.translation.url),
        "captcha": settings.challenge.company is not None,
        "captcha.address": settings.challenge.company is not None and settings.challenge.send_address,
        "omegle": settings.omegle.enabled,
        "screening": settings.screening.text != "off",
        "screening.command": settings.screening.asks_provider
        and not is_sent_away(settings.screening.sent_to, settings),
        "screening.provider": is_sent_away(settings.screening.sent_to, settings),
        "proxy": bool(settings.server.proxies),
        "countries": bool(settings.safety.refused_countries),
        "hosts": bool(settings.cluster.nats),
        "pictures": store and video.enabled and settings.pictures.mode != "off",
        "pictures.chat": sends,
        "pictures.kept": store and (video.enabled or sends),
        "pictures.provider": store and video.enabled and is_sent_away(settings.pictures.sent_to, settings),
    }
    return frozenset(name for name, on in found.items() if on)


def holds(needs: str, on: frozenset[str]) -> bool:
    """Return whether a condition of `needs` is met by the enabled features. Empty: always; `no-NAME`: if NAME is disabled."""
    return needs.removeprefix("no-") not in on if needs.startswith("no-") else not needs or needs in on
