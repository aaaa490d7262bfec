"""Define the settings of a deployment in one typed tree, each with its meaning, unit, bounds and default.

**Invariant:** numbers that an operator may choose are here, numbers that are rules of the service are in the engine. `Settings()` reads only its
arguments.
"""

# `server.ops.config.setting_sources.load` alone reads flags, environment, files and defaults. A new part of the service adds a section: a class below
# and one line in `Settings`.

from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    ByteSize,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    ValidationInfo,
    field_validator,
)

from engine.wire import protocol
from server.ops.config.alert_settings import Alerts
from server.ops.config.backup_settings import Backup as Backup
from server.ops.config.challenge_settings import Challenge as Challenge
from server.ops.config.cluster_settings import Cluster as Cluster
from server.ops.config.picture_settings import Pictures as Pictures
from server.ops.config.recipient_settings import Recipients
from server.ops.config.screening_settings import Screening as Screening
from server.ops.config.setting_types import (
    CountryCodes,
    Hosts,
    Names,
    Networks,
    Origins,
    Port,
    Section,
    StunServers,
    TurnServers,
    Workers,
    bucket_url,
    contact_uri,
    database_url,
    header_name,
    http_url,
    mail_address,
    own_origin,
    page_colour,
    shown_line,
)

MIB = 1024 * 1024
UNNAMED = "The operator of this server"  # the operator's name if none is configured


class Server(Section):
    """Address and names of the server, and the proxies and origins that it trusts."""

    host: str = Field(default="127.0.0.1", description="address to listen on")
    port: Port = Field(default=8080, description="port to listen on; 0: any free one")
    user: str = Field(
        default="",
        max_length=32,
        description="user that a server started as root becomes once its public port is open; empty: the owner of the data folder",
    )
    hosts: Hosts = Field(
        default=("localhost", "127.0.0.1", "[::1]"),
        description="Host names that are answered, without port; *.name: those with one label before it; *: all",
    )
    origins: Origins = Field(
        default=(), description="further origins whose pages may connect and use /api/, e.g. https://a.example"
    )
    proxies: Networks = Field(default=(), description="networks of proxies whose forwarded addresses are believed")
    port_header: Annotated[str, AfterValidator(header_name)] = Field(
        default="",
        description="header in which these proxies write the client's source port, e.g. X-Real-Port; empty: behind a proxy no port is known",
    )
    poll_clients: NonNegativeInt = Field(
        default=1_000, le=20_000, description="clients at once that use HTTP requests instead of a WebSocket; 0: off"
    )
    drain: NonNegativeFloat = Field(default=10.0, le=600, description="seconds from SIGTERM to the last close")
    start_within: float = Field(
        default=300.0,
        ge=10,
        le=3600,
        description="seconds that a process, or an upgrade's new server, may take to start",
    )
    hang_after: float = Field(
        default=2.0,
        ge=1,
        le=600,
        description="seconds of its own in which a process of several says nothing and is killed; time without a core does not count",
    )


class Metrics(Section):
    """The port for Prometheus, separate from the public one."""

    enabled: bool = Field(default=True, description="serve metrics at all")
    host: str = Field(default="127.0.0.1", description="address of the metrics port")
    port: Port = Field(default=9464, description="port of the metrics; 0: any free one")
    hosts: Hosts = Field(
        default=("localhost", "127.0.0.1", "[::1]"), description="Host names that are answered, without port"
    )


class Limits(Section):
    """Rates; bounds of size are rules and have no setting (protocol rule 10)."""

    enabled: bool = Field(default=True, description="apply rate limits and challenges; false for benches")
    message_burst: PositiveInt = Field(default=protocol.MESSAGE_BURST, description="messages at once, each person")
    message_rate: PositiveFloat = Field(
        default=float(protocol.MESSAGE_RATE), description="messages a second after the burst"
    )
    signal_burst: PositiveInt = Field(default=protocol.SIGNAL_BURST, description="video signals at once, each person")
    signal_rate: PositiveFloat = Field(
        default=float(protocol.SIGNAL_RATE), description="video signals a second after the burst"
    )
    find_burst: PositiveInt = Field(default=protocol.FIND_BURST, description="searches at once, each person")
    find_rate: PositiveFloat = Field(default=float(protocol.FIND_RATE), description="searches a second after the burst")
    connections: PositiveInt = Field(
        default=protocol.CONNECTIONS, description="open connections an address (IPv6: a /64)"
    )
    saves_hour: PositiveInt = Field(default=20, description="chats saved an hour, each person")
    saves_day: PositiveInt = Field(default=60, description="chats saved a day, each person")
    saved_hour: ByteSize = Field(default=ByteSize(4 * MIB), ge=MIB, description="text saved an hour, each person")
    saved_day: ByteSize = Field(default=ByteSize(16 * MIB), ge=MIB, description="text saved a day, each person")
    saves_network: PositiveInt = Field(default=10, description="times as much for a network (IPv4 /24, IPv6 /56)")
    newcomers: PositiveInt = Field(
        default=protocol.NEWCOMERS, description="connections an address whose request is still to come"
    )
    connect_burst: PositiveInt = Field(
        default=protocol.CONNECT_BURST, description="new connections at once, an address"
    )
    connect_rate: PositiveFloat = Field(
        default=float(protocol.CONNECT_RATE), description="new connections a second after the burst, an address"
    )
    late: NonNegativeFloat = Field(
        default=0.05,
        description="seconds late by own work, three times in a row: most newcomers are refused; 0: never",
    )


class Session(Section):
    """Sessions, across dropped connections."""

    grace: NonNegativeFloat = Field(
        default=protocol.GRACE, le=3600, description="seconds for a dropped connection to come back"
    )


class Chat(Section):
    """Memory of chats."""

    memory: ByteSize = Field(default=ByteSize(512 * MIB), ge=MIB, description="memory of all chats' last messages")


class Matching(Section):
    """Time that a search insists on common interests (protocol rule 6), and the preferred partners: docs/matching.md says what each way costs. The
    floor and the fixed window are off by default.
    """

    any_after: NonNegativeFloat = Field(
        default=protocol.ANY_AFTER, le=3600, description="seconds until any shared interest will do"
    )
    anyone_after: NonNegativeFloat = Field(
        default=protocol.ANYONE_AFTER, le=3600, description="seconds until none need be shared"
    )
    window: NonNegativeFloat = Field(
        default=0.0,
        le=60,
        description="seconds over which newcomers with interests gather, to be paired for the most shared; 0: by the arrival rate",
    )
    busy_window: NonNegativeFloat = Field(
        default=1.2,
        le=3,
        description="the longest time that they gather where many arrive, reached at 500 a second; 0: all are matched on arrival",
    )
    near: NonNegativeFloat = Field(
        default=0.07,
        le=0.5,
        description="share by which a partner of the same worker (of several hosts: host) may be worse and is preferred",
    )
    peak: NonNegativeInt = Field(
        default=0,
        le=8160,
        description="shared weight that a newcomer wants (an interest: 8, a rare one up to 255); never in a quiet pool; 0: none",
    )
    falls: PositiveInt = Field(default=12, le=1000, description="steps in which the floor falls to nothing")
    falls_for: PositiveFloat = Field(
        default=3.0, le=3600, description="seconds until the floor is gone; sooner in a busy pool"
    )


class Store(Section):
    """Storage of chats: records without content, and saved logs."""

    enabled: bool = Field(default=True, description="keep records and saved logs; false: keep nothing")
    url: Annotated[SecretStr, AfterValidator(database_url)] = Field(
        default=SecretStr(""),
        description="database URL, e.g. postgresql://user@host/name; empty: SQLite in the data folder",
    )
    migrate: bool = Field(default=True, description="update the schema at start; false: `serendip db migrate`")
    queue: PositiveInt = Field(
        default=100_000, le=5_000_000, description="chats that may wait for the database (400 bytes each); beyond: lost"
    )
    batch: PositiveInt = Field(default=4000, le=20_000, description="chats in a transaction, at most (20 ms, at most)")
    linger: NonNegativeFloat = Field(default=0.25, le=10, description="seconds that a record may wait for others")
    room: ByteSize = Field(
        default=ByteSize(256 * MIB), description="free space of the disk below which no chat is saved; 0: none"
    )
    country_file: str = Field(default="", description="an mmdb file for countries; empty: the built-in table")


class Objects(Section):
    """Storage of the texts of saved logs."""

    url: Annotated[str, AfterValidator(bucket_url)] = Field(
        default="", description="s3://bucket/prefix; empty: a folder in the data folder"
    )
    endpoint: str = Field(default="", description="S3 endpoint, where it is not Amazon's")
    region: str = Field(default="us-east-1", description="S3 region")
    access_key: SecretStr = Field(default=SecretStr(""), description="S3 access key; empty: the usual AWS variables")
    secret_key: SecretStr = Field(default=SecretStr(""), description="S3 secret key")
    timeout: PositiveFloat = Field(default=5.0, le=60, description="seconds for one request, retries included")


class Retention(Section):
    """Retention periods of data; the privacy statement is rendered from these."""

    days: PositiveInt = Field(default=120, le=120, description="days that personal data is kept (the statement: 120)")
    backup_days: PositiveInt = Field(default=30, le=90, description="days that a backup of the database lives")
    purge_every: NonNegativeFloat = Field(
        default=3600.0, le=86_400, description="seconds between purges by the server itself; 0: only by command"
    )


class Rights(Section):
    """Requests of people about their own data."""

    delete_hours: NonNegativeInt = Field(
        default=72,
        le=168,
        description="hours from a request for deletion, which hides at once, until its removal: a report may still come, and it may be cancelled",
    )


class Operator(Section):
    """The operator of this service; printed in the privacy statement."""

    name: str = Field(default=UNNAMED, description="name of the operator (controller)")
    email: str = Field(default="", description="mail address for questions of privacy")
    address: str = Field(default="", description="postal address")
    country: str = Field(default="", description="country in which the data is processed")
    officer: str = Field(default="", description="data protection officer: name and address, where there is one")
    representative: str = Field(default="", description="representative in the European Union, where there is one")
    authority: str = Field(default="", description="the authority that takes complaints about this operator")
    security_contact: Annotated[str, AfterValidator(contact_uri)] = Field(
        default="",
        description="for security problems: a mail address, or mailto:, https: or tel:; served at `/.well-known/security.txt`, absent while empty",
    )
    security_policy: Annotated[str, AfterValidator(http_url)] = Field(
        default="", description="address of a page that says how you handle such a report"
    )


class Page(Section):
    """Name, colour and sentence of an installation, in place of the project's."""

    name: Annotated[str, AfterValidator(shown_line)] = Field(
        default="",
        max_length=40,
        description="name of this installation, in place of “Serendip” on the page and its documents; empty: Serendip",
    )
    colour: Annotated[str, AfterValidator(page_colour)] = Field(
        default="",
        description="colour of buttons, links and own lines, e.g. #7a3b8f; shades that can be read are made for both themes; empty: green",
    )
    sentence: Annotated[str, AfterValidator(shown_line)] = Field(
        default="",
        max_length=160,
        description="sentence under the title of the home page, in every language as it is; empty: the translated one",
    )


class Privacy(Section):
    """Checks of the privacy statement at the start: warn or fail. [Operations](operate/rights.md#the-privacy-statement)."""

    recipients: Literal["warn", "fail"] = Field(
        default="warn", description="action of the start if a recipient of data is not named in `[[recipients]]`"
    )
    changes: Literal["warn", "fail"] = Field(
        default="warn", description="what the start does at a change that `serendip privacy announce` did not announce"
    )


class Safety(Section):
    """Adults only, and what guards that."""

    require_adult: bool = Field(default=False, description="programs too must say `adult: true` in `find`")
    moderated: bool = Field(
        default=False,
        description="say that a moderator reads reports, even if a queue has no account that opens it; false: say that it is not certain",
    )
    unattended: bool = Field(
        default=False,
        description="start a public host (`server.hosts`) also without operator.name, operator.email and an account that reads reports",
    )
    refused_countries: CountryCodes = Field(
        default=(),
        description="countries whose users are refused before a chat, by their address (two letters each, e.g. GB, as `store.country_file` has them)",
    )
    rta: bool = Field(
        default=True,
        description="label each page for filters as restricted to adults (RTA), so that parents can block it",
    )
    young: Annotated[str, AfterValidator(http_url)] = Field(
        default="",
        description="address of a page with places made for young people, for who is under 18; empty: no link",
    )
    child_endpoint: Annotated[str, AfterValidator(http_url)] = Field(
        default="",
        description=(
            "where `serendip safety referral --send` reports child abuse to, e.g. https://report.cybertip.org/ispws; empty: nowhere."
            " Nothing is sent but by that command"
        ),
    )
    child_user: str = Field(default="", description="your name there")
    child_password: SecretStr = Field(default=SecretStr(""), description="and your password")
    help_file: str = Field(
        default="",
        description="emergency numbers by country (TOML, as server/trust/reports/help.toml); empty: the built-in list",
    )


class Console(Section):
    """The moderators' console, on a port of its own; never a public one."""

    enabled: bool = Field(default=True, description="serve it, where a store is on")
    host: str = Field(default="127.0.0.1", description="address of its port")
    port: Port = Field(default=9466, description="that port; 0: any free one")
    origin: Annotated[str, AfterValidator(own_origin)] = Field(
        default="",
        description="where browsers reach it, e.g. https://console.example; passkeys belong to that name; empty: http://localhost:PORT",
    )
    pairs: bool = Field(
        default=True, description="what takes two operators is confirmed by another; false: waited for, always"
    )
    wait_hours: PositiveInt = Field(default=24, le=720, description="hours of waiting in place of a second operator")
    digest: Annotated[str, AfterValidator(mail_address)] = Field(
        default="",
        description="the owner's mail address: once a week it gets how often which operator looked at stored data; empty: none",
    )


class Video(Section):
    """Video chats. Media flows between the two browsers, or through a TURN server (deploy/coturn.conf); never through this server."""

    enabled: bool = Field(default=True, description="offer video chats")
    stun: StunServers = Field(
        default=(), description="STUN servers, e.g. stun:turn.example:3478; a TURN server does that too"
    )
    turn: TurnServers = Field(
        default=(),
        description="TURN servers, e.g. turn:turn.example:3478?transport=udp; without one no user can hide an address",
    )
    turn_secret: SecretStr = Field(
        default=SecretStr(""),
        description="static-auth-secret of the TURN server; empty: what `serendip keys turn` prints",
    )
    turn_lifetime: PositiveInt = Field(default=21_600, le=604_800, description="seconds that TURN credentials are good")
    reports: bool = Field(default=False, description="take coturn's statistics (its redis-statsdb): what it relayed")
    reports_host: str = Field(default="127.0.0.1", description="address of the port for them; never a public one")
    reports_port: Port = Field(default=9465, description="that port; 0: any free one")


class Mail(Section):
    """The mail server for the codes of college mode; without one the mode is off."""

    host: str = Field(default="", description="name of the mail server; empty: none, and college mode is off")
    port: Port = Field(default=587, description="its port")
    security: Literal["starttls", "tls", "none"] = Field(default="starttls", description="how the way there is guarded")
    user: str = Field(default="", description="user name there; empty: none is given")
    password: SecretStr = Field(default=SecretStr(""), description="password there")
    sender: str = Field(default="Serendip <serendip@localhost>", description="who the mails are from")


class College(Section):
    """College mode."""

    proof_days: PositiveFloat = Field(default=90.0, le=90, description="days that a proof of a college is good")


class Translation(Section):
    """LibreTranslate, for browsers that cannot translate a line by themselves. Off unless set: [operations](operate/configure.md#translation)."""

    url: Annotated[str, AfterValidator(http_url)] = Field(
        default="", description="address of a LibreTranslate server, e.g. http://localhost:5000; empty: none"
    )
    key: SecretStr = Field(default=SecretStr(""), description="its API key; empty: none is given")
    timeout: PositiveFloat = Field(
        default=10.0, le=60, description="seconds for one line, waiting for its turn included"
    )
    at_once: PositiveInt = Field(
        default=4, le=64, description="lines that it works on at once, of each process of ours"
    )
    waiting: PositiveInt = Field(
        default=64, le=10_000, description="lines that wait for that, of each process; beyond: refused"
    )
    burst: PositiveInt = Field(default=30, description="lines at once, each person; ten times as many, a network")
    rate: PositiveFloat = Field(default=1.0, description="lines a second after the burst, each person")


class Omegle(Section):
    """The Omegle-compatible HTTP interface. While it is open, any site can connect its visitors to this server."""

    enabled: bool = Field(default=True, description="answer programs that speak Omegle's HTTP protocol")
    hold: PositiveFloat = Field(default=30.0, le=50, description="seconds that a poll is held")
    idle: PositiveFloat = Field(default=120.0, le=3600, description="seconds without a request until a client is gone")
    clients: PositiveInt = Field(default=20_000, description="clients at once")
    clients_address: PositiveInt = Field(default=50, description="clients at once, an address (IPv6: a /64)")
    start_burst: PositiveInt = Field(default=20, description="starts at once, an address")
    start_rate: PositiveFloat = Field(default=2.0, description="starts a second after the burst, an address")
    connections: PositiveInt = Field(
        default=250, description="open connections of such programs, or of requests to /api/poll, an address"
    )
    connect_burst: PositiveInt = Field(default=400, description="new ones at once, an address")
    connect_rate: PositiveFloat = Field(default=60.0, description="new ones a second after the burst: about 8 chats'")
    servers: Names = Field(
        default=("front1",),
        description="short names of servers in /status, given if name.DOMAIN is in server.hosts (DOMAIN: the Host or its parent); else the Host",
    )


class Log(Section):
    """Events on standard error; never message text."""

    level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="least level written")
    format: Literal["json", "console"] = Field(default="json", description="a JSON object a line, or columns to read")


class Settings(Section):
    """All settings of a deployment."""

    data: Path = Field(default=Path("var"), description="folder of all that is kept (made with mode 0700)")
    workers: Workers = Field(default=1, description="processes that have people, or auto; 1: one process does all")
    server: Server = Server()
    cluster: Cluster = Cluster()
    metrics: Metrics = Metrics()
    alerts: Alerts = Alerts()
    limits: Limits = Limits()
    session: Session = Session()
    chat: Chat = Chat()
    matching: Matching = Matching()
    store: Store = Store()
    objects: Objects = Objects()
    retention: Retention = Retention()
    backup: Backup = Backup()
    rights: Rights = Rights()
    operator: Operator = Operator()
    page: Page = Page()
    privacy: Privacy = Privacy()
    recipients: Recipients = Field(
        default=(), description="providers that get data, a table each; see docs/operate/rights.md"
    )
    safety: Safety = Safety()
    screening: Screening = Screening()
    pictures: Pictures = Pictures()
    challenge: Challenge = Challenge()
    console: Console = Console()
    video: Video = Video()
    omegle: Omegle = Omegle()
    mail: Mail = Mail()
    college: College = College()
    translation: Translation = Translation()
    log: Log = Log()

    @field_validator("challenge")
    @classmethod
    def _is_apart(cls, chosen: Challenge, told: ValidationInfo) -> Challenge:
        server = told.data.get("server")
        if chosen.company is not None and server is not None and chosen.frame_host in server.hosts:
            raise ValueError("challenge.origin is wanted at a name of its own, and not at one of server.hosts")
        return chosen


# Settings that a running server applies at SIGHUP (server/ops/config/setting_changes.py); all others need a restart.
RELOADED = frozenset(
    (
        *(
            "server.hosts",
            "server.origins",
            "server.proxies",
            "server.port_header",
            "metrics.hosts",
            "log.level",
            "log.format",
        ),
        "safety.refused_countries",
        # not the quotas of saved text: their buckets hold what was used of them
        *(f"limits.{name}" for name in Limits.model_fields if name != "enabled" and not name.startswith("save")),
    )
)
