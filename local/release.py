"""What a release consists of: `make release TAG=v1.2.3` writes it to `dist/`, from what `make build` has built.

The zip holds the template with every function's code in one folder, to be deployed with `sam deploy` and nothing else;
the command line, to be installed with `pipx install .`; and the documents.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import zipfile
from pathlib import Path

from local.package import BILL, PROJECT, digest_of

BUILD = PROJECT / ".aws-sam" / "build"
DIST = PROJECT / "dist"
CODE = "functions"  # holds the package bigin_archive, which the command line needs, too
COMMAND_LINE = "operate"
MADE_AT = (1980, 1, 1, 0, 0, 0)  # the same bytes make the same zip
FILES = ("LICENSE", "README.md", "CHANGELOG.md", "samconfig.toml", "pyproject.toml")
_LINK = re.compile(r"\]\((?![a-z]+:)([^)#\s]+)")  # of Markdown, to another file of the project


class ReleaseError(Exception):
    """The release cannot be made; the message is for the person at the terminal."""


def version() -> str:
    """The package's version."""
    text = (PROJECT / "functions" / "bigin_archive" / "__init__.py").read_text(encoding="utf-8")
    return text.partition('__version__ = "')[2].partition('"')[0]


def notes(changelog: str, wanted: str) -> str:
    """The changelog's section of this version. Raises ReleaseError."""
    found = re.search(rf"^## \[?{re.escape(wanted)}(?![\w.]).*?\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    if found is None or not found[1].strip():
        raise ReleaseError(f"CHANGELOG.md has no section {wanted}.")
    return found[1].strip() + "\n"


def template(built: str, folders: list[str]) -> str:
    """The built template, with all code in one folder, and its documents beside it. Raises ReleaseError."""
    if re.search(r"(?m)[:-] [&*][A-Za-z]", built):
        raise ReleaseError("The built template has YAML anchors, which CloudFormation's own tools do not read.")
    text = re.sub(r"(?m)^(\s+(?:LicenseUrl|ReadmeUrl): ).*/", r"\1", built)
    for name in folders:
        text = re.sub(rf"(?m)^(\s+CodeUri: ){re.escape(name)}$", rf"\1{CODE}", text)
    return text


def documents() -> list[str]:
    """FILES and every file that their links lead to, so that no link of the zip leads nowhere."""
    found: list[str] = []
    left = list(FILES)
    while left:
        name = left.pop()
        if name in found:
            continue
        found.append(name)
        if name.endswith(".md"):
            text = (PROJECT / name).read_text(encoding="utf-8")
            left += [os.path.normpath(Path(name).parent / link) for link in _LINK.findall(text)]
    return sorted(found)


def main(tag: str) -> int:
    """Exit status: 0 made, 1 not."""
    try:
        made = release(tag, BUILD, BILL, DIST, (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8"))
    except ReleaseError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Made in dist/: {', '.join(path.name for path in made)}")
    return 0


def release(tag: str, build: Path, bill: Path, dist: Path, changelog: str) -> list[Path]:
    """Write a release to ``dist``, from what SAM has built and its bill of materials. Raises ReleaseError."""
    wanted = version()
    if tag != f"v{wanted}":
        raise ReleaseError(f"The tag {tag} is not the version v{wanted}.")
    folders = sorted(path for path in build.iterdir() if path.is_dir()) if build.is_dir() else []
    if not folders:
        raise ReleaseError("Nothing is built: make build.")
    if len({digest_of((path for path in folder.rglob("*") if path.is_file()), folder) for folder in folders}) > 1:
        raise ReleaseError(
            "The functions differ in their code: they are built from one folder. Build again: make build."
        )
    text = notes(changelog, wanted)
    whole = template((build / "template.yaml").read_text(encoding="utf-8"), [folder.name for folder in folders])
    shutil.rmtree(dist, ignore_errors=True)
    dist.mkdir()
    _write_zip(dist / f"bigin-archive-{wanted}.zip", whole, folders[0])
    shutil.copy(bill, dist / f"bigin-archive-{wanted}.cdx.json")
    (dist / "NOTES.md").write_text(text, encoding="utf-8")
    return sorted(dist.iterdir())


def _write_zip(file: Path, whole: str, code: Path) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_entry("template.yaml"), whole)
        for name in documents():
            archive.writestr(_entry(name), (PROJECT / name).read_bytes())
        for name, folder in ((CODE, code), (COMMAND_LINE, PROJECT / COMMAND_LINE)):
            for path in sorted(folder.rglob("*")):
                if path.is_file() and (name == CODE or "__pycache__" not in path.parts):
                    archive.writestr(_entry(f"{name}/{path.relative_to(folder)}"), path.read_bytes())


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, MADE_AT)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m local.release", description=__doc__)
    parser.add_argument("tag")
    sys.exit(main(parser.parse_args().tag))
