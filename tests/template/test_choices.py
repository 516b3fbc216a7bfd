"""What a deployment may choose: a key, Object Lock, a budget; and who may speak to the alarm topic."""

import re
from typing import Any

import pytest

from tests.template.parsed import RESOURCES, ROOT, TEMPLATE, of_type

PARAMETERS: dict[str, Any] = TEMPLATE["Parameters"]
NOTHING = {"Ref": "AWS::NoValue"}


@pytest.mark.parametrize("name", of_type("AWS::SecretsManager::Secret"))
def test_secrets_use_the_key(name: str) -> None:
    """With KmsKeyArn each secret is encrypted with it, else with the key that AWS manages."""
    assert RESOURCES[name]["Properties"]["KmsKeyId"] == {"Fn::If": ["HasKey", {"Ref": "KmsKeyArn"}, NOTHING]}


def test_the_key_is_a_key_and_no_alias() -> None:
    """A role's right on an alias would be none; the pattern refuses it before anything is made."""
    pattern = PARAMETERS["KmsKeyArn"]["AllowedPattern"]

    assert re.fullmatch(pattern, "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab")
    assert re.fullmatch(pattern, "")
    assert not re.fullmatch(pattern, "arn:aws:kms:eu-central-1:123456789012:alias/mine")
    assert not re.fullmatch(pattern, "mine")


def test_object_lock_is_off_unless_it_is_chosen() -> None:
    """Without a mode the bucket has no Object Lock; with one, each file gets the mode and the days."""
    bucket = RESOURCES["Bucket"]["Properties"]
    condition, lock, nothing = bucket["ObjectLockConfiguration"]["Fn::If"]

    assert PARAMETERS["ObjectLockMode"]["Default"] == "NONE"
    assert bucket["ObjectLockEnabled"] == {"Fn::If": ["LocksObjects", True, NOTHING]}
    assert (condition, nothing) == ("LocksObjects", NOTHING)
    assert lock["Rule"]["DefaultRetention"] == {"Mode": {"Ref": "ObjectLockMode"}, "Days": {"Ref": "ObjectLockDays"}}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}


def test_files_can_be_opened_at_once() -> None:
    """Every storage class that the template offers gives files back at once."""
    assert set(PARAMETERS["StorageClass"]["AllowedValues"]) == {
        "STANDARD",
        "INTELLIGENT_TIERING",
        "STANDARD_IA",
        "GLACIER_IR",
    }


def test_a_budget_stands_where_it_is_asked_for() -> None:
    """The topic gets a message when the month's costs reach the budget, and when they are forecast to."""
    budget = RESOURCES["Budget"]
    notifications = budget["Properties"]["NotificationsWithSubscribers"]

    assert budget["Condition"] == "HasBudget"
    assert PARAMETERS["MonthlyBudgetUsd"]["Default"] == 0
    assert {found["Notification"]["NotificationType"] for found in notifications} == {"ACTUAL", "FORECASTED"}
    assert all(
        found["Subscribers"] == [{"SubscriptionType": "SNS", "Address": {"Ref": "AlarmTopic"}}]
        for found in notifications
    )


def test_the_topic_hears_this_account_by_tls_alone() -> None:
    """Alarms and budgets of this account may publish; nobody may without TLS."""
    (policy,) = of_type("AWS::SNS::TopicPolicy").values()
    statements = policy["PolicyDocument"]["Statement"]
    (allowed,) = [found["Principal"]["Service"] for found in statements if found["Effect"] == "Allow"]

    assert policy["Topics"] == [{"Ref": "AlarmTopic"}]
    assert set(allowed) == {"cloudwatch.amazonaws.com", "budgets.amazonaws.com"}
    for found in statements:
        assert found["Resource"] == {"Ref": "AlarmTopic"}
        assert found["Action"] == "sns:Publish"
        if found["Effect"] == "Allow":
            assert found["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
        else:
            assert (found["Principal"], found["Condition"]) == ("*", {"Bool": {"aws:SecureTransport": "false"}})


def test_every_exception_from_checkov_has_its_reason() -> None:
    """What checkov is told to skip stands beside its resource, with a sentence."""
    skipped = [
        one for found in RESOURCES.values() for one in found.get("Metadata", {}).get("checkov", {}).get("skip", [])
    ]

    assert skipped
    assert all(re.fullmatch(r"CKV2?_AWS_\d+", one["id"]) and len(one["comment"]) >= 30 for one in skipped)


def test_the_application_repository_finds_what_it_asks_for() -> None:
    """Serverless Application Repository: name, licence, readme, version and labels within its limits."""
    application = TEMPLATE["Metadata"]["AWS::ServerlessRepo::Application"]
    version = re.search(r'__version__ = "(.+)"', (ROOT / "functions/bigin_archive/__init__.py").read_text())

    assert re.fullmatch(r"[a-zA-Z0-9-]{1,140}", application["Name"])
    assert len(application["Description"]) <= 256
    assert len(application["Labels"]) <= 10
    assert application["SpdxLicenseId"] == "Apache-2.0"
    assert version
    assert application["SemanticVersion"] == version[1]
    for name in ("LicenseUrl", "ReadmeUrl"):
        assert (ROOT / application[name]).is_file()
