"""An update of a deployed stack replaces nothing that holds anything."""

import copy
import json
from functools import cache
from typing import Any

import pytest

from tests.template.parsed import RESOURCES, TEMPLATE
from tests.template.released import FILE, STATEFUL, replacing, stateful

RELEASED: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
KEPT = ("Bucket", "CredentialsSecret")  # what outlives the stack


@cache
def now() -> dict[str, Any]:
    """What the template says today; cfn-lint, which knows what CloudFormation replaces, takes long to load."""
    return stateful(TEMPLATE)


@pytest.mark.parametrize("name", RELEASED)
def test_what_a_release_made_stays(name: str) -> None:
    """Same logical name, same type, and no property changed that would make CloudFormation replace it."""
    assert name in now(), f"{name} would be deleted"
    assert RELEASED[name] == now()[name]


@pytest.mark.parametrize("name", KEPT)
def test_what_is_kept_is_kept(name: str) -> None:
    """The archive and the credentials outlive the stack, and a replacement too; not a creation that was rolled back."""
    assert (now()[name]["DeletionPolicy"], now()[name]["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


@pytest.mark.parametrize("name", [name for name, found in RESOURCES.items() if found["Type"] in STATEFUL])
def test_no_parameter_decides_about_a_replacement(name: str) -> None:
    """No value of a parameter makes an update replace a stateful resource."""
    assert "Ref" not in json.dumps(now()[name]["Replacing"])
    assert "Fn::" not in json.dumps(now()[name]["Replacing"])


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("Bucket", "BucketName", "mine"),
        ("Queue", "QueueName", "mine"),
        ("RecordQueue", "FifoQueue", False),
        ("CredentialsSecret", "Name", "mine"),
        ("LeasesTable", "KeySchema", [{"AttributeName": "other", "KeyType": "HASH"}]),
        ("Api", "StageName", "v2"),
    ],
)
def test_a_replacement_is_noticed(name: str, key: str, value: object) -> None:
    """The comparison sees each change that CloudFormation answers with a new resource."""
    changed = copy.deepcopy(TEMPLATE)
    changed["Resources"][name]["Properties"][key] = value

    assert stateful(changed)[name] != now()[name]
    assert key in replacing(RESOURCES[name]["Type"])


def test_a_renamed_resource_is_noticed() -> None:
    """For CloudFormation a new logical name is a new resource, and the old one goes."""
    changed = copy.deepcopy(TEMPLATE)
    changed["Resources"]["Archive"] = changed["Resources"].pop("Bucket")

    assert "Bucket" not in stateful(changed)
