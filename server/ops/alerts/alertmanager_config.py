"""Write the configuration of Alertmanager from the settings: contacts, severities, the heartbeat, and which alert hides which.

The document is JSON, which Alertmanager reads as YAML. **Invariant:** an alert of any severity but `none` reaches every contact that asks for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from server.ops.alerts.alert_sender import TEST
from server.ops.config.alert_settings import Contact
from server.ops.config.settings import Mail, Settings

HEARTBEAT: Final = "SerendipHeartbeat"  # the alert that always fires
DRAINING: Final = "SerendipDraining"
SMTPS: Final = 465  # the port at which Alertmanager speaks TLS from the first byte; it does so nowhere else
# Of one host that is drained on purpose these say nothing new.
WHILE_DRAINING: Final = (
    "SerendipDown",
    "SerendipHostAlone",
    "SerendipLinkStalled",
    "SerendipProcessSilent",
    "SerendipRestarting",
    "SerendipSupervisorGone",
    "SerendipUpgradeStuck",
    "SerendipWorkerDied",
)
# (cause, its consequences, labels that both share): while the cause fires, no contact is notified of its consequences.
CAUSES: Final = (
    (DRAINING, WHILE_DRAINING, ("instance",)),
    ("SerendipDown", ("SerendipRestarting",), ("job", "instance")),
    (
        "SerendipStarved",
        ("SerendipHubSlow", "SerendipLoopLag", "SerendipProcessSilent", "SerendipRelaySlow", "SerendipScreenerAway"),
        ("instance",),
    ),
    ("SerendipHostAlone", ("SerendipHostRefused",), ("instance",)),
    (
        "SerendipStoreAway",
        ("SerendipPurgeFailing", "SerendipRecordsWaiting", "SerendipReportsWaiting", "SerendipSavesRefused"),
        ("instance",),
    ),
    ("SerendipDiskFull", ("SerendipDiskFilling",), ("instance",)),
    ("SerendipCertificateEnded", ("SerendipCertificateEnds",), ("instance", "of")),
    ("SerendipRequestOverdue", ("SerendipRequestDue",), ("instance",)),
)
SUBJECT: Final = (
    '{{ if eq .Status "firing" }}[{{ with .CommonLabels.severity }}{{ . | toUpper }}{{ else }}ALERT{{ end }}]{{ else }}[over]{{ end }}'
    " {{ with .CommonLabels.alertname }}{{ . }}{{ else }}{{ len .Alerts }} alerts{{ end }}"
    "{{ with .CommonLabels.instance }} at {{ . }}{{ end }}"
)
TEXT: Final = """\
{{ range .Alerts }}{{ if eq .Status "firing" }}NOW{{ else }}OVER{{ end }}  {{ .Labels.alertname }}: {{ .Annotations.summary }}
     since {{ .StartsAt.UTC.Format "2006-01-02 15:04:05" }} UTC{{ if ne .Status "firing" }}, until {{ .EndsAt.UTC.Format "15:04:05" }}{{ end }}
     What to do: serendip help {{ .Labels.alertname }}@LINK@
{{ end }}
page: people are hurt now, or a deadline ends within a day. ticket: look at it this week.
Silence it while you work on it: {{ .ExternalURL }}
"""
LINK: Final = ", or @ORIGIN@/help/{{ .Labels.alertname }}"


class Unsendable(ValueError):
    """Settings with which no alert could arrive; the text says which."""


def alertmanager_config(settings: Settings) -> dict[str, Any]:
    """Return the document. Raises Unsendable."""
    contacts = settings.alerts.contacts
    if not contacts:
        raise Unsendable("alerts.contact is empty: nobody would be told. Name a mail address or a webhook")
    if not [one for one in contacts if not one.pages_only]:
        raise Unsendable("alerts.contact: every entry has #page, so nobody would be told of a ticket")
    text = TEXT.replace("@LINK@", LINK.replace("@ORIGIN@", settings.console.origin) if settings.console.origin else "")
    heartbeat = settings.alerts.heartbeat.get_secret_value()
    everything = [one for one in contacts if not one.pages_only]
    return {
        "global": {"resolve_timeout": "5m"} | (_mail(settings.mail) if _has_mail(contacts) else {}),
        "route": _routes(),
        "inhibit_rules": [
            {
                "source_matchers": [f'alertname="{cause}"'],
                "target_matchers": [f'alertname=~"{"|".join(hidden)}"'],
                "equal": list(shared),
            }
            for cause, hidden, shared in CAUSES
        ],
        "receivers": [
            {"name": "pages"} | _receiver(contacts, text),
            {"name": "tickets"} | _receiver(everything, text),
            {"name": "heartbeat"}
            | ({"webhook_configs": [{"url": heartbeat, "send_resolved": False}]} if heartbeat else {}),
            {"name": "none"},
        ],
    }


def _routes() -> dict[str, Any]:
    """Return the tree of routes: an alert with a severity of your own is a ticket."""
    return {
        "receiver": "tickets",
        "group_by": ["severity"],
        "group_wait": "10m",
        "group_interval": "6h",
        "repeat_interval": "3d",
        "routes": [
            {
                "receiver": "heartbeat",
                "matchers": [f'alertname="{HEARTBEAT}"'],
                "group_by": ["alertname"],
                "group_wait": "0s",
                "group_interval": "1m",
                "repeat_interval": "50s",  # asked once a group_interval: a longer one would skip every second call
            },
            {"receiver": "none", "matchers": ['severity="none"']},
            *(_test_route(receiver, severity) for receiver, severity in (("pages", "page"), ("tickets", "ticket"))),
            {
                "receiver": "pages",
                "matchers": ['severity="page"'],
                "group_by": ["alertname"],
                "group_wait": "10s",
                "group_interval": "5m",
                "repeat_interval": "1h",
            },
        ],
    }


def _test_route(receiver: str, severity: str) -> dict[str, Any]:
    """Return the route of test alerts: each is sent at once and by itself. A real ticket waits for longer than a test lasts."""
    return {
        "receiver": receiver,
        "matchers": [f'alertname="{TEST}"', f'severity="{severity}"'],
        "group_by": ["alertname", "sent"],
        "group_wait": "0s",
        "group_interval": "1m",
        "repeat_interval": "1h",
    }


def _has_mail(contacts: Sequence[Contact]) -> bool:
    return any(one.kind == "mail" for one in contacts)


def _mail(mail: Mail) -> dict[str, Any]:
    """Return how Alertmanager reaches the mail server. Raises Unsendable."""
    if not mail.host:
        raise Unsendable(
            "alerts.contact has a mail address, and mail.host is empty: name the mail server, or a webhook"
        )
    if (mail.security == "tls") != (mail.port == SMTPS):
        raise Unsendable(
            f"mail.security is {mail.security}, and mail.port {mail.port}: Alertmanager speaks TLS from the first byte"
            f" at port {SMTPS}, and there alone"
        )
    signed_in = {
        "smtp_auth_username": mail.user,
        "smtp_auth_identity": mail.user,
        "smtp_auth_password": mail.password.get_secret_value(),
    }
    return {
        "smtp_smarthost": f"{mail.host}:{mail.port}",
        "smtp_from": mail.sender,
        "smtp_require_tls": mail.security == "starttls",
    } | (signed_in if mail.user else {})


def _receiver(contacts: Sequence[Contact], text: str) -> dict[str, Any]:
    """Return the parts of a receiver."""
    mails = [
        {"to": one.address, "send_resolved": True, "headers": {"Subject": SUBJECT}, "html": "", "text": text}
        for one in contacts
        if one.kind == "mail"
    ]
    hooks = [{"url": one.address, "send_resolved": True} for one in contacts if one.kind == "webhook"]
    return {name: some for name, some in (("email_configs", mails), ("webhook_configs", hooks)) if some}
