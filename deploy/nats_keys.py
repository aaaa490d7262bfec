"""The keys of a NATS for several hosts: its certificate, and a user for each host. Rule: what is there is kept; a further call adds what is missing.

/opt/serendip/bin/python deploy/nats_keys.py /etc/nats --server 10.0.0.10 --server nats.internal one two three
/opt/serendip/bin/python deploy/nats_keys.py /etc/nats --renew

ca.pem, ca.key       who signs; ca.pem goes to every host (`cluster.ca`), ca.key to nobody
cert.pem, key.pem    of the server, for three years; --renew makes another with the same names (and who signs too, where that one ends within a month)
one.seed             of the host `one`, for it alone (`cluster.credentials`); remove it to shut that host out
users.conf           what nats.conf includes: who may come in, and say and hear what

Each file gets the owner of the folder, so that NATS can read it whoever calls this.
"""

import argparse
import datetime
import ipaddress
import os
import re
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

import nkeys
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DAYS = 3 * 365
CA_DAYS = 20 * 365
CA_RENEWED = 31  # days before the end of who signs
NAME = re.compile(r"[a-z0-9-]{1,32}")


def main(words: Sequence[str]) -> int:
    """Makes what is missing, and names it; the status of the process."""
    parser = argparse.ArgumentParser(
        prog="nats_keys.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("hosts", nargs="*", type=_name, metavar="HOST")
    parser.add_argument(
        "--server",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="address or name of the NATS server, as cluster.nats says it",
    )
    parser.add_argument(
        "--renew", action="store_true", help="make another certificate with the names of the one that is there"
    )
    parser.add_argument("--name", type=_name, default="serendip", help="the hosts' cluster.name")
    chosen = parser.parse_intermixed_args(words)  # hosts may stand behind an option
    chosen.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    servers = chosen.server or _servers(chosen.folder)
    if not servers:
        parser.error("--server is missing: by what address or name do hosts reach it?")
    for name in made(chosen.folder, chosen.name, servers, chosen.hosts, renew=chosen.renew):
        sys.stdout.write(f"made {chosen.folder / name}\n")
    return 0


def made(folder: Path, name: str, servers: Sequence[str], hosts: Sequence[str], *, renew: bool = False) -> list[str]:
    """The files that were missing, or are another now. `servers`: of a certificate that is made; `hosts`: beside those that have a seed; `renew`: the
    certificate is made anew.
    """
    files: list[str] = []
    if not _signs(folder, CA_RENEWED if renew else 0):
        _authority(folder)
        files += ["ca.key", "ca.pem"]
    if renew or files or not (folder / "cert.pem").exists():
        _certificate(folder, servers)
        files += ["key.pem", "cert.pem"]
    for host in hosts:
        if not (folder / f"{host}.seed").exists():
            seed = nkeys.encode_seed(secrets.token_bytes(32), nkeys.PREFIX_BYTE_USER)
            _write(folder / f"{host}.seed", seed)
            files.append(f"{host}.seed")
    users = _users(folder, name)
    if not (folder / "users.conf").exists() or (folder / "users.conf").read_text() != users:
        _write(folder / "users.conf", users.encode())
        files.append("users.conf")
    return files


def _users(folder: Path, name: str) -> str:
    """Each host that has a seed, and what it may."""
    lines = []
    for file in sorted(folder.glob("*.seed")):
        public = nkeys.from_seed(bytearray(file.read_bytes().strip())).public_key.decode()
        may = f'publish: "{name}.>", subscribe: "{name}.>"'
        lines.append(f"    {{ nkey: {public}, permissions: {{ {may} }} }}  # {file.stem}\n")
    return f"authorization {{\n  timeout: 2\n  users = [\n{''.join(lines)}  ]\n}}\n"


def _servers(folder: Path) -> list[str]:
    """The addresses and names of the certificate that is there; none without one."""
    try:
        shown = x509.load_pem_x509_certificate((folder / "cert.pem").read_bytes())
    except FileNotFoundError:
        return []
    return [str(one.value) for one in shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value]


def _signs(folder: Path, days: int) -> bool:
    """Whether there is who signs, and for so many days more."""
    if not ((folder / "ca.key").exists() and (folder / "ca.pem").exists()):
        return False
    return _left(x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())) > days


def _left(shown: x509.Certificate) -> float:
    """The days for which a certificate is valid."""
    return (shown.not_valid_after_utc - datetime.datetime.now(datetime.UTC)) / datetime.timedelta(days=1)


def _authority(folder: Path) -> None:
    """Who signs the server's certificate, and nothing else."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "NATS of Serendip")])
    usage = x509.KeyUsage(
        digital_signature=False, key_cert_sign=True, crl_sign=False, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    builder = _begun(key.public_key(), name, name, CA_DAYS)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    signed = builder.add_extension(usage, critical=True).sign(key, hashes.SHA256())
    _write(folder / "ca.key", _pem(key))
    _write(folder / "ca.pem", signed.public_bytes(serialization.Encoding.PEM), 0o644)


def _certificate(folder: Path, servers: Sequence[str]) -> None:
    """The server's, signed by the one who signs, and for no longer than that one is valid."""
    authority = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
    signing = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
    if not isinstance(signing, ec.EllipticCurvePrivateKey):
        raise SystemExit(f"{folder / 'ca.key'}: no key of this program's")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, servers[0])])
    builder = _begun(key.public_key(), name, authority.subject, min(DAYS, _left(authority)))
    builder = builder.add_extension(x509.SubjectAlternativeName([_named(one) for one in servers]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False
    )
    _write(folder / "key.pem", _pem(key))
    _write(folder / "cert.pem", builder.sign(signing, hashes.SHA256()).public_bytes(serialization.Encoding.PEM), 0o644)


def _begun(public: ec.EllipticCurvePublicKey, name: x509.Name, by: x509.Name, days: float) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder(by, name, public, x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _named(server: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(server))
    except ValueError:
        return x509.DNSName(server)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def _write(file: Path, data: bytes, mode: int = 0o600) -> None:
    """Whole or not at all, nobody else's to read meanwhile, and of the folder's owner."""
    owner = file.parent.stat()
    part = file.with_name(f".{file.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode), "wb") as to:
        if os.geteuid() == 0:
            os.fchown(to.fileno(), owner.st_uid, owner.st_gid)
        to.write(data)
    part.replace(file)


def _name(word: str) -> str:
    if not NAME.fullmatch(word):
        raise argparse.ArgumentTypeError("small letters, digits and - are wanted, 32 at most")
    return word


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
