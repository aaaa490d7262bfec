"""Write the server's bill of materials, CycloneDX 1.6 as JSON: `.venv/bin/python .ci/sbom.py FOLDER`, for `make dist`.

It lists what `make install` puts on a machine: the packages of `requirements/moderation.lock` (optional: those beyond `serve.lock`), each with
its hashes and its licence, and the files of others in the page; as excluded, the packages that make the JavaScript client. Packages of a lock
that belong on other machines are named with their condition. Licences are read from the installed packages, so it runs in `.venv`.
**Invariant:** the same commit gives the same bytes; a package whose licence cannot be told stops it, and so does a row that is not understood.
"""

import base64
import json
import re
import sys
import uuid
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from packaging.markers import Marker

from server.ops.version import VERSION, own

ROOT = Path(__file__).resolve().parents[1]
VENDOR = ROOT / "server/site/web/vendor/VERSIONS"
NPM = ROOT / "client/js/package-lock.json"
ROW = re.compile(r"^([a-z0-9-]+)==(\S+)( ; .*?)? \\\n((?:    --hash=sha256:[0-9a-f]{64}.*\n)+)", re.M)
# Names of licences in the metadata of packages, and the SPDX identifier of each.
SPDX = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
# Packages whose metadata say nothing, or not which licence: as their licence files do.
READ = {
    "axe-playwright-python": "MIT",
    "chatterbot-corpus": "BSD-3-Clause",
    "colorama": "BSD-3-Clause",
    "contourpy": "BSD-3-Clause",  # of its release for Python 3.11
    "cycler": "BSD-3-Clause",
    "fido2": "BSD-2-Clause AND Apache-2.0 AND MPL-2.0",
    "forbiddenfruit": "GPL-3.0-or-later OR MIT",
    "itsdangerous": "BSD-3-Clause",
    "jinja2": "BSD-3-Clause",
    "kiwisolver": "BSD-3-Clause",
    "promql-parser": "MIT",
    "pyahocorasick": "BSD-3-Clause",
    "uvloop": "Apache-2.0 OR MIT",
}


def rows(lock: str) -> list[tuple[str, str, str, str]]:
    """Return (name, version, marker, hashes) of each package of a lock. Exits if a row is of another form."""
    text = (ROOT / "requirements" / f"{lock}.lock").read_text()
    found = [(name, version, marker.removeprefix(" ; "), hashes) for name, version, marker, hashes in ROW.findall(text)]
    count = sum(line[:1] not in ("", " ", "#") for line in text.splitlines())
    if len(found) != count:
        sys.exit(f"requirements/{lock}.lock: {count - len(found)} of {count} rows are not understood")
    return found


def locked(lock: str) -> dict[str, tuple[Distribution, list[str]]]:
    """Return the packages of a lock that belong on this machine, with the hashes of their files. Exits if one is not installed."""
    found = {}
    for name, version, marker, hashes in rows(lock):
        if marker and not Marker(marker).evaluate():
            continue  # `elsewhere` names it
        try:
            package = distribution(name)
        except PackageNotFoundError:
            package = None
        if package is None or package.version != version:
            sys.exit(f"{name} {version} of requirements/{lock}.lock is not installed: make build")
        found[name] = package, re.findall(r"sha256:(\w+)", hashes)
    return found


def elsewhere(lock: str) -> list[str]:
    """Return the packages of a lock that belong on machines of another kind, each with its condition."""
    return [
        f"{name} {version} ; {marker}"
        for name, version, marker, _ in rows(lock)
        if marker and not Marker(marker).evaluate()
    ]


def licence(name: str, package: Distribution) -> str:
    """Return a package's licence as an SPDX expression; "" if its metadata do not tell one."""
    about = package.metadata
    classifiers = [one.split(" :: ")[-1] for one in about.get_all("Classifier", []) if one.startswith("License ::")]
    said = {SPDX[one] for one in classifiers if one in SPDX}
    written = (about.get("License") or "").strip()
    told = SPDX.get(written) or (written if re.fullmatch(r"[\w.-]+", written) else "")
    return READ.get(name) or about.get("License-Expression") or (said.pop() if len(said) == 1 else told)


def packages() -> list[dict[str, Any]]:
    """Return a component for each package."""
    required, made = locked("serve"), []
    for name, (package, hashes) in sorted(locked("moderation").items()):
        if not (terms := licence(name, package)):
            sys.exit(f"{name}: read its licence, and write it down in .ci/sbom.py")
        address = f"pkg:pypi/{name}@{package.version}"
        files = [{"alg": "SHA-256", "content": one} for one in hashes]  # of its wheels and its sdist
        made.append(
            {
                "type": "library",
                "bom-ref": address,
                "name": name,
                "version": package.version,
                "scope": "required" if name in required else "optional",
                "licenses": [{"expression": terms}],
                "purl": address,
                "externalReferences": [
                    {
                        "type": "distribution",
                        "url": f"https://pypi.org/project/{name}/{package.version}/",
                        "hashes": files,
                    }
                ],
            }
        )
    return made


def vendored() -> list[dict[str, Any]]:
    """Return a component for each file of another project in the page."""
    made = []
    for row in VENDOR.read_text().splitlines():
        if row.startswith("#"):
            continue
        file, source, version, terms, digest = row.split()
        parts = source.split("/")
        package = "/".join(parts[: 2 if source.startswith("@") else 1])
        address = f"pkg:npm/{package.replace('@', '%40')}@{version}"
        made.append(
            {
                "type": "library",
                "bom-ref": f"{address}#{file}",
                "name": package,
                "version": version,
                "scope": "required",
                "hashes": [{"alg": "SHA-256", "content": digest}],
                "licenses": [{"expression": terms}],
                "purl": address,
                "properties": [{"name": "serendip:file", "value": f"server/site/web/vendor/{file}"}],
            }
        )
    return made


def tools() -> list[dict[str, Any]]:
    """Return a component for each package that makes the JavaScript client; none of them is in what is published."""
    made = []
    for place, one in sorted(json.loads(NPM.read_text())["packages"].items()):
        if not place:
            continue  # the client itself
        name = place.rpartition("node_modules/")[2]
        address = f"pkg:npm/{name.replace('@', '%40')}@{one['version']}"
        kind, _, digest = one["integrity"].partition("-")
        if kind != "sha512" or not one.get("license"):
            sys.exit(f"{name} of client/js/package-lock.json: a hash or a licence that is not understood")
        made.append(
            {
                "type": "library",
                "bom-ref": address,
                "name": name,
                "version": one["version"],
                "scope": "excluded",
                "hashes": [{"alg": "SHA-512", "content": base64.b64decode(digest).hex()}],
                "licenses": [{"expression": one["license"]}],
                "purl": address,
            }
        )
    return made


def bill() -> str:
    """Return the document."""
    contained = [*packages(), *vendored()]
    left_out = [{"name": "serendip:elsewhere", "value": told} for told in elsewhere("moderation")]
    itself = {
        "type": "application",
        "bom-ref": "serendip",
        "name": "serendip",
        "version": VERSION,
        "licenses": [{"expression": "Apache-2.0"}],
        "properties": [{"name": "serendip:commit", "value": own()}, *left_out],
    }
    content = {
        "version": 1,
        "metadata": {"component": itself},
        "components": [*contained, *tools()],
        "dependencies": [{"ref": "serendip", "dependsOn": [one["bom-ref"] for one in contained]}],
    }
    number = uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(content))
    whole = {"bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": f"urn:uuid:{number}", **content}
    return json.dumps(whole, indent=1)


if __name__ == "__main__":
    Path(sys.argv[1], f"serendip-{VERSION}.cdx.json").write_text(bill())
