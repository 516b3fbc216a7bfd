"""Least privilege, tried: with IAM enforced, no role can do what it must not, and each signature is checked."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.deployment import STACK_NAME
from local.stack import LocalStack
from tests.integration.denials import ALLOWED, DENIALS, PAGE, Denial, Place, table
from tests.template.parsed import ROOT, of_type

SERVICES = ("secretsmanager", "s3", "sqs", "lambda", "dynamodb", "events", "iam")
DENIED = ("AccessDenied", "AccessDeniedException", "Forbidden", "403")
UNSIGNED = ("SignatureDoesNotMatch", "InvalidSignatureException", "AccessDenied", "AccessDeniedException", "Forbidden")
CASES = [(role, denial) for role, denials in DENIALS.items() for denial in denials]


@pytest.fixture(scope="module")
def physical(running: LocalStack) -> dict[str, str]:
    """Physical names by logical ones."""
    found = running.client("cloudformation").describe_stack_resources(StackName=STACK_NAME)["StackResources"]
    return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in found}


@pytest.fixture(scope="module")
def place(running: LocalStack, physical: dict[str, str]) -> Place:
    outputs = running.outputs
    return Place(
        bucket=outputs["BucketName"],
        prefix=outputs["KeyPrefix"],
        queue=outputs["QueueUrl"],
        dead_letters=outputs["DeadLetterQueueUrl"],
        record_queue=physical["RecordQueue"],
        record_dead_letters=physical["RecordDeadLetterQueue"],
        token=outputs["TokenSecretId"],
        credentials=outputs["CredentialsSecretId"],
        webhook=outputs["WebhookSecretId"],
        leases=physical["LeasesTable"],
        ledger=physical["Ledger"],
        refresher=outputs["RefreshTokenFunctionName"],
        callers=outputs["CallersTable"],
        event_queue=outputs["EventQueueUrl"],
        event_bus=outputs["EventBusName"],
    )


Signed = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def signed(running: LocalStack, physical: dict[str, str]) -> Signed:
    """Makes the clients of a role, once: most of the time of a denial goes into them."""
    return functools.cache(functools.partial(clients, running, physical))


def clients(running: LocalStack, physical: Mapping[str, str], role: str, *, forged: bool = False) -> dict[str, Any]:
    """Clients that sign as the role; ``forged`` with a secret key that is not its own."""
    arn = running.client("iam").get_role(RoleName=physical[role])["Role"]["Arn"]
    keys = running.client("sts").assume_role(RoleArn=arn, RoleSessionName="tried")["Credentials"]
    secret = keys["SecretAccessKey"]
    return {
        service: boto3.client(
            service,
            endpoint_url=running.description["aws_endpoint_url"],
            verify=running.description["ca_bundle"],
            region_name=running.description["region"],
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=secret[::-1] if forged else secret,
            aws_session_token=keys["SessionToken"],
            config=Config(proxies={}, s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
        )
        for service in SERVICES
    }


@pytest.mark.parametrize(("role", "denial"), CASES, ids=[f"{role}-{denial.words}" for role, denial in CASES])
def test_what_a_role_must_not_do_is_denied(
    signed: Signed, place: Place, role: str, denial: Denial, figure: Callable[[str], None]
) -> None:
    """The call is refused for lack of the right."""
    with pytest.raises(ClientError) as refused:
        denial.call(signed(role), place)

    assert refused.value.response["Error"]["Code"] in DENIED
    figure(f"denied: {role.removesuffix('Role'):<15} {denial.words:<45} {denial.action}")


@pytest.mark.parametrize("role", ALLOWED)
def test_what_a_role_may_do_works_with_its_own_signature_alone(signed: Signed, place: Place, role: str) -> None:
    """The same role can do its work; with a wrong secret key it can do nothing."""
    ALLOWED[role](signed(role), place)

    with pytest.raises(ClientError) as refused:
        ALLOWED[role](signed(role, forged=True), place)
    assert refused.value.response["Error"]["Code"] in UNSIGNED


def test_every_role_is_tried() -> None:
    """Each role of the template has its rows, 25 and more in all, and the page shows them."""
    assert set(of_type("AWS::IAM::Role")) == set(DENIALS) == set(ALLOWED)
    assert len(CASES) >= 25
    assert table() in (ROOT / PAGE).read_text(encoding="utf-8")
