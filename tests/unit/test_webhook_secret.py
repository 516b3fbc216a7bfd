"""The webhook secret while Secrets Manager answers, and while it does not."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from bigin_archive.api.webhook_secret import WebhookSecret
from bigin_archive.errors import StorageUnavailableError

OLD, NEW = "a" * 40, "b" * 40
DOWN = EndpointConnectionError(endpoint_url="https://secretsmanager.example")


class Secrets:
    """Secrets Manager as far as a reader needs it; ``answer`` may be an error to raise."""

    def __init__(self) -> None:
        self.calls = 0
        self.answer: Any = {"SecretString": json.dumps({"webhook_secret": OLD})}

    def get_secret_value(self, **_: str) -> dict[str, Any]:
        self.calls += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        found: dict[str, Any] = self.answer
        return found


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def secrets() -> Secrets:
    return Secrets()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def secret(secrets: Secrets, clock: Callable[[], float]) -> WebhookSecret:
    return WebhookSecret(secrets, "id", clock)  # type: ignore[arg-type]


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code}}, "GetSecretValue")


@pytest.mark.parametrize("failure", [DOWN, refusal("InternalServiceError"), refusal("AccessDeniedException")])
def test_what_is_known_serves_while_secrets_manager_does_not(
    secrets: Secrets, clock: Clock, secret: WebhookSecret, failure: Exception
) -> None:
    """A refused webhook is lost, so the last known secret stays valid for an hour."""
    assert OLD in secret.accepted()
    secrets.answer = failure

    for clock.now_s in (61, 600, 3600):
        assert OLD in secret.accepted()


def test_what_is_known_serves_no_longer_than_an_hour(secrets: Secrets, clock: Clock, secret: WebhookSecret) -> None:
    """After an hour the secret may have been revoked, so the answer is 503: try again."""
    secret.accepted()
    secrets.answer = DOWN
    clock.now_s = 3601

    with pytest.raises(StorageUnavailableError):
        secret.accepted()


def test_a_secrets_manager_that_is_down_is_not_asked_each_time(
    secrets: Secrets, clock: Clock, secret: WebhookSecret
) -> None:
    """A failed read costs seconds, so only one webhook in ten tries it."""
    secret.accepted()
    secrets.answer = DOWN
    before = secrets.calls

    for second in range(61, 71):
        clock.now_s = second
        secret.accepted()

    assert before + 1 == secrets.calls


def test_a_new_secret_is_not_called_wrong_while_it_cannot_be_looked_up(secrets: Secrets, secret: WebhookSecret) -> None:
    """The secret may be new, so the answer is 503, not 401, and Bigin's list of failures shows it."""
    secret.accepted()
    secrets.answer = DOWN

    with pytest.raises(StorageUnavailableError):
        secret.accepted(refused=True)


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "InvalidRequestException"])
def test_a_secret_that_was_deleted_serves_nobody(
    secrets: Secrets, clock: Clock, secret: WebhookSecret, code: str
) -> None:
    """A secret that was deleted, or is being deleted, serves nobody: that is an answer, not an outage."""
    secret.accepted()
    secrets.answer = refusal(code)
    clock.now_s = 61

    assert ["", ""] == secret.accepted()


def test_the_new_secret_is_taken_once_secrets_manager_is_back(
    secrets: Secrets, clock: Clock, secret: WebhookSecret
) -> None:
    """Once Secrets Manager is back the new secret is taken, and the old one ends."""
    secret.accepted()
    secrets.answer = DOWN
    clock.now_s = 100
    secret.accepted()
    secrets.answer = {"SecretBinary": json.dumps({"webhook_secret": NEW}).encode()}
    clock.now_s = 111

    assert [NEW, NEW] == secret.accepted()
