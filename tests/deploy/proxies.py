"""Debian's nginx and Caddy with the configurations of `deploy/`, on loopback and free ports, in front of a server.

Rule: the files are used as they are shipped; only names, ports, paths and the certificate are put in.
"""

import os
import re
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
NAME = "chat.example"
NGINX = """\
{user}
{lasting}
error_log {folder}/main.log;
pid {folder}/nginx.pid;
events {{ worker_connections 512; }}
http {{
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    include {folder}/serendip.conf;
}}
"""


class Proxy:
    """A proxy that listens; `stop` ends it, `reload` lets it read its configuration anew and returns when the new one holds."""

    def __init__(self, port: int, stop: Callable[[], None], reload: Callable[[], None], log: Path) -> None:
        self.port = port
        self.stop = stop
        self.reload = reload
        self.log = log


def free_port() -> int:
    """A port that nobody had a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def certificate(folder: Path) -> None:
    """`cert.pem` and `key.pem` of our own making, for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    pem = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(pem)


def nginx(folder: Path, *behind: int | str) -> Proxy:
    """nginx with `deploy/nginx.conf` in front of ports, or addresses, `behind`; it listens when this returns."""
    first, *others = reached(behind)
    port, plain = free_port(), free_port()
    text = (DEPLOY / "nginx.conf").read_text()
    text = re.sub(r"^ *listen \[::\].*\n", "", text, flags=re.M)
    text = text.replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl").replace(
        "listen 80", f"listen 127.0.0.1:{plain}"
    )
    text = text.replace(f"/etc/letsencrypt/live/{NAME}/fullchain.pem", f"{folder}/cert.pem")
    text = text.replace(f"/etc/letsencrypt/live/{NAME}/privkey.pem", f"{folder}/key.pem")
    text = text.replace("/var/log/serendip/", f"{folder}/")
    if others:  # the lines that are for several
        examples = re.findall(r"^ *#server (10\.\S+)", text, re.M)
        assert len(examples) == len(others)
        text = re.sub(r"^( *)#(?=hash|server)", r"\1", text, flags=re.M)
        for example, other in zip(examples, others, strict=True):
            text = text.replace(example, other)
    text = text.replace("127.0.0.1:8080", first)
    (folder / "serendip.conf").write_text(text)
    user = "user root;" if os.geteuid() == 0 else ""
    (lasting,) = re.findall(r"^# +(worker_shutdown_timeout .*)", text, re.M)  # what the file's head says for nginx.conf
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, user=user, lasting=lasting))
    command = ["/usr/sbin/nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "main.log")]
    subprocess.run(command, check=True, timeout=20)

    def reload() -> None:
        old = _workers(folder)
        _run([*command, "-s", "reload"])
        while not all("shutting down" in _said(pid) for pid in old):
            time.sleep(0.01)  # a poll: it has no event

    return Proxy(port, lambda: _run([*command, "-s", "stop"]), reload, folder / "access.log")


def caddy(folder: Path, *behind: int | str) -> Proxy:
    """Caddy with `deploy/Caddyfile` in front of ports, or addresses, `behind`; it listens when this returns."""
    port, admin = free_port(), free_port()
    text = (DEPLOY / "Caddyfile").read_text()
    site = f"\n{{$CHAT_NAME:{NAME}}}"
    assert site in text
    text = text.replace(f"{site} {{\n", f"{site}:{port} {{\n\ttls {folder}/cert.pem {folder}/key.pem\n")
    ours = f"\n{{\n\tadmin 127.0.0.1:{admin}\n\tauto_https disable_redirects\n\tdefault_bind 127.0.0.1\n"
    (folder / "Caddyfile").write_text(text.replace("\n{\n", ours, 1))
    kept = {
        **os.environ,
        "CHAT_SERVER": " ".join(reached(behind)),
        "HOME": str(folder),
        "XDG_DATA_HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
        **({"CHAT_STREAMS": "stream_close_delay 24h"} if caddy_waits() else {}),
    }
    file = ["--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    words = ["caddy", "start", *file]
    with (folder / "caddy.log").open("wb") as log:
        subprocess.run(words, env=kept, check=True, timeout=20, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    address = ["--address", f"127.0.0.1:{admin}"]
    return Proxy(
        port,
        lambda: _run(["caddy", "stop", *address]),
        lambda: _run(["caddy", "reload", "--force", *address, *file], kept),
        folder / "caddy.log",
    )


def reached(behind: Sequence[int | str]) -> list[str]:
    """Addresses with ports."""
    return [one if isinstance(one, str) else f"127.0.0.1:{one}" for one in behind]


def caddy_waits() -> bool:
    """Whether this Caddy can be told to leave WebSockets open at a reload: from 2.7 on."""
    said = subprocess.run(["caddy", "version"], check=True, timeout=20, capture_output=True, text=True).stdout
    major, minor = re.findall(r"\d+", said)[:2]
    return (int(major), int(minor)) >= (2, 7)


def _workers(folder: Path) -> list[str]:
    """The processes of an nginx that serve, by number."""
    master = (folder / "nginx.pid").read_text().strip()
    return Path(f"/proc/{master}/task/{master}/children").read_text().split()


def _said(pid: str) -> str:
    """How a process of nginx calls itself; one that is gone is shutting down too."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text() or "shutting down"
    except OSError:
        return "shutting down"


def _run(command: list[str], environment: dict[str, str] | None = None) -> None:
    subprocess.run(command, check=True, timeout=20, capture_output=True, env=environment)
