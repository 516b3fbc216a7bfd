"""A release is made of what was built, and of nothing that does not fit together."""

import os
import re
from pathlib import Path

import pytest

from local.package import PROJECT
from local.release import ReleaseError, documents, main, notes, template

CHANGELOG = "# Changelog\n\n## Unreleased\n\n- later\n\n## 1.2.0 - 2026-03-02\n\n- new\n\n## 1.1.0\n\n- old\n"
BUILT = (
    "Metadata:\n  LicenseUrl: ../../../home/LICENSE\n"
    "Resources:\n  A:\n    CodeUri: AFunction\n  B:\n    CodeUri: BFunction\n"
)


def test_the_notes_are_the_section_of_the_version() -> None:
    """The notes hold the section of the version, and nothing of later or earlier ones."""
    assert notes(CHANGELOG, "1.2.0") == "- new\n"


@pytest.mark.parametrize("version", ["1.3.0", "1.2"])
def test_a_version_without_notes_is_not_released(version: str) -> None:
    """A release needs its section in the changelog."""
    with pytest.raises(ReleaseError, match="no section"):
        notes(CHANGELOG.replace("1.2.0", "1.2.01"), version)


def test_the_template_stands_beside_its_code() -> None:
    """The template names one folder of code, and no path of the machine that built it."""
    made = template(BUILT, ["AFunction", "BFunction"])

    assert made.count("CodeUri: functions\n") == 2
    assert "  LicenseUrl: LICENSE\n" in made


def test_anchors_are_refused() -> None:
    """A template with YAML anchors is refused, because CloudFormation's own tools do not read them."""
    with pytest.raises(ReleaseError, match="anchors"):
        template("A: &a {b: 1}\nC: *a\n", [])


def test_a_tag_of_another_version_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A release says the version that its tag has."""
    assert main("v999.0.0") == 1
    assert "The tag v999.0.0" in capsys.readouterr().err


def test_no_link_of_the_released_documents_leads_nowhere() -> None:
    """The zip holds each page and picture that the README leads to, over any number of pages."""
    shipped = documents()
    linked = {
        os.path.normpath(Path(name).parent / link)
        for name in shipped
        if name.endswith(".md")
        for both in re.findall(r"\]\(([^)#]+)|(?:src|srcset)=\"([^\"]+)\"", (PROJECT / name).read_text())
        for link in both
        if link and "://" not in link
    }

    assert {"docs/operating.md", "docs/audit.png", "SECURITY.md"} <= linked
    assert linked <= set(shipped)
    assert all((PROJECT / name).is_file() for name in shipped)
