"""What the package is made of, as CycloneDX 1.6 in JSON: read from the package and from the wheels it came from."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from email.message import Message
from email.parser import Parser
from pathlib import Path
from typing import Any

PINNED = re.compile(r"^([A-Za-z0-9_.-]+)==([^ ;\\]+)", re.MULTILINE)
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
NAMESPACE = uuid.UUID("4b4f2a56-6f0e-5b0c-9d5f-0d8f5d3f9f10")  # of this project's bills
# Licences as packages name them, where they have no SPDX expression (PEP 639) but an older field.
SPDX = {
    "Apache 2.0": "Apache-2.0",
    "Apache-2.0": "Apache-2.0",
    "BSD-3-Clause": "BSD-3-Clause",
    "MIT": "MIT",
    "MIT No Attribution": "MIT-0",
    "MPL-2.0": "MPL-2.0",
}


def pinned(requirements: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Version and SHA-256 sums by normalised name, of a requirements file with hashes."""
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for entry in re.split(r"\n(?=[A-Za-z0-9])", requirements):
        if match := PINNED.match(entry):
            found[normalised(match[1])] = (match[2], tuple(HASH.findall(entry)))
    return found


def normalised(name: str) -> str:
    """A package's name as indexes compare it (PyPA specifications, "Names and normalization")."""
    return re.sub(r"[-_.]+", "-", name).lower()


def licence(metadata: Message) -> str:
    """The SPDX expression of a package. Raises ValueError where it says none that is known."""
    expression = metadata.get("License-Expression") or SPDX.get(metadata.get("License", ""))
    if not expression:
        raise ValueError(f"{metadata['Name']} names no licence that is known")
    return expression


def distributions(folder: Path) -> Iterator[Message]:
    """The metadata of each package in a built function's folder."""
    for file in sorted(folder.glob("*.dist-info/METADATA")):
        yield Parser().parsestr(file.read_text(encoding="utf-8"))


def bill(folder: Path, version: str, requirements: str, wheels: Iterable[Path]) -> dict[str, Any]:
    """The bill of one built function; the same input gives the same bill, so that builds can be compared.

    ``wheels`` are those for Lambda's processor. Raises ValueError where something is in the package that is not pinned,
    in another version, or from a wheel with another hash.
    """
    pins = pinned(requirements)
    sums = {_named(wheel): hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in wheels}
    components = []
    for metadata in distributions(folder):
        name, found = normalised(metadata["Name"]), metadata["Version"]
        if name not in pins or pins[name][0] != found:
            raise ValueError(f"{name} {found} is in the package, and not pinned in functions/requirements.txt")
        if sums.get((name, found)) not in pins[name][1]:
            raise ValueError(f"{name} {found} did not come from a wheel whose hash is pinned")
        components.append(_component(name, found, licence(metadata), sums[name, found]))
    root = f"pkg:generic/bigin-archive@{version}"
    content = json.dumps(components, sort_keys=True)
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(NAMESPACE, root + content)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": root,
                "name": "bigin-archive",
                "version": version,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            }
        },
        "components": components,
        "dependencies": [
            {"ref": root, "dependsOn": [component["bom-ref"] for component in components]},
            *({"ref": component["bom-ref"], "dependsOn": []} for component in components),
        ],
    }


def _named(wheel: Path) -> tuple[str, str]:
    name, version, *_ = wheel.name.split("-")
    return normalised(name), version


def _component(name: str, version: str, expression: str, sha256: str) -> Mapping[str, Any]:
    package = f"pkg:pypi/{name}@{version}"
    return {
        "type": "library",
        "bom-ref": package,
        "name": name,
        "version": version,
        "purl": package,
        "licenses": [{"expression": expression}],
        "hashes": [{"alg": "SHA-256", "content": sha256}],
    }
