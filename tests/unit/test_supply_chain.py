"""What is packaged: pinned with hashes, listed with licences, and nothing else; the workflow pins what it uses."""

import re
from importlib.metadata import distribution
from pathlib import Path

import pytest
import yaml

from local.bill_of_materials import bill, licence, normalised, pinned

PROJECT = Path(__file__).parents[2]
LOCK = (PROJECT / "functions" / "requirements.txt").read_text(encoding="utf-8")
PINS = pinned(LOCK)
TOP = dict(
    re.findall(r"^([\w.-]+)==([\w.]+)", (PROJECT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)
)
DIRECT = re.findall(
    r"^([a-z][\w.-]*)$", (PROJECT / "functions/requirements.in").read_text(encoding="utf-8"), re.MULTILINE
)
PAGE = (PROJECT / "docs" / "dependencies.md").read_text(encoding="utf-8")
WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))


def needed(name: str) -> set[str]:
    """A package and all that it needs, without its extras."""
    found, waiting = set(), [name]
    while waiting:
        current = normalised(waiting.pop())
        if current not in found:
            found.add(current)
            requirements = distribution(current).requires or []
            waiting += [re.split(r"[ <>=!~;\[(]", one)[0] for one in requirements if "extra ==" not in one]
    return found


def test_everything_that_is_packaged_is_pinned_with_hashes() -> None:
    """The lock file pins what the functions need, directly or not, and no more, with the hashes of each file."""
    assert set(PINS) == set().union(*(needed(name) for name in DIRECT))
    assert all(sums for _, sums in PINS.values())


@pytest.mark.parametrize("name", PINS)
def test_pins_are_those_of_the_tests(name: str) -> None:
    """The version that is packaged is the one that was tested, and the one of the top-level file."""
    assert distribution(name).version == PINS[name][0]
    assert TOP.get(name, PINS[name][0]) == PINS[name][0]


@pytest.mark.parametrize("name", PINS)
def test_licences_are_listed(name: str) -> None:
    """Each package stands in the table with the licence that its own metadata names."""
    metadata = distribution(name).metadata

    assert f"| `{name}` | {licence(metadata)} |" in PAGE  # type: ignore[arg-type]


def test_no_index_is_named() -> None:
    """The lock file names no package index: the machine that builds chooses it."""
    files = [*PROJECT.glob("*requirements*"), *PROJECT.glob("*/requirements*")]

    assert files
    for file in files:
        assert not re.search(r"index-url|find-links|trusted-host|https?://", file.read_text(encoding="utf-8")), file


def built(folder: Path, name: str, version: str) -> Path:
    """A built function that holds one package."""
    info = folder / "function" / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Name: {name}\nVersion: {version}\nLicense-Expression: MIT\n")
    return folder / "function"


def test_what_is_not_pinned_is_not_billed(tmp_path: Path) -> None:
    """A package of another name, version or hash ends the build."""
    wheel = tmp_path / "requests-2.34.2-py3-none-any.whl"
    wheel.write_bytes(b"other bytes")
    for number, (name, version) in enumerate([("evil", "1.0"), ("requests", "1.0"), ("requests", "2.34.2")]):
        with pytest.raises(ValueError, match="pinned"):
            bill(built(tmp_path / str(number), name, version), "1.0.0", LOCK, [wheel])


# What a job may write, each for the reason beside it in its workflow; every other job reads.
WRITES = {
    "release": {"contents", "id-token", "attestations"},
    "analyze": {"security-events"},
    "scorecard": {"security-events", "id-token"},
    "cloud-test": {"id-token"},
}
PUBLISHERS = "actions|github|ossf|aws-actions"


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_workflows_pin_actions_and_ask_for_little(file: Path) -> None:
    """Workflows pin each action by its full commit, with its version beside it, and give jobs only the rights they
    need.
    """
    text = file.read_text(encoding="utf-8")
    document = yaml.safe_load(text)

    assert document["permissions"] == {}
    assert "pull_request_target" not in text
    for name, job in document["jobs"].items():
        assert job["permissions"]["contents"] in ("read", "write"), name
        writes = {right for right, level in job["permissions"].items() if level == "write"}
        assert writes == WRITES.get(name, set()), name
    for line in re.findall(r"uses: .*", text):
        assert re.fullmatch(rf"uses: (?:{PUBLISHERS})/[a-z/-]+@[0-9a-f]{{40}} # v\d+\.\d+\.\d+", line), line


def test_the_workflow_runs_what_ci_runs_on_every_python_of_the_template() -> None:
    """The workflow runs what CI runs on Python 3.11 to 3.14, and with the oldest boto3 that is claimed."""
    document = yaml.safe_load((PROJECT / ".github" / "workflows" / "check.yml").read_text(encoding="utf-8"))
    template = (PROJECT / "template.yaml").read_text(encoding="utf-8")
    offered = re.search(r"AllowedValues: \[(python3[^\]]+)\]", template)
    steps = [step.get("run") for step in document["jobs"]["lowest"]["steps"]]

    assert offered
    assert [f"python{one}" for one in document["jobs"]["check"]["strategy"]["matrix"]["python"]] == offered[1].split(
        ", "
    )
    assert ".ci/run" in [step.get("run") for step in document["jobs"]["check"]["steps"]]
    assert ".venv/project/bin/python -m pip install -r tests/requirements-lowest.txt" in steps
    assert steps[-1] == "make test"
