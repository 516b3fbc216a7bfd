"""AWS clients with the operator's own credentials, and AWS's errors in plain words.

AWS's own messages are never printed: some quote the request, which may hold a secret. boto3 is imported by the first
account: it would be half of the time in which a command shows its help.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError, InvalidRegionError, NoRegionError, ProfileNotFound

from bigin_archive.aws.error_codes import code_of
from operate.errors import OperateError

if TYPE_CHECKING:
    from botocore.config import Config

# The read time-out leaves room for SQS's long polling, the connections for reading many objects at once.
_CONFIG: Any = {
    "connect_timeout": 5,
    "read_timeout": 30,
    "retries": {"total_max_attempts": 4, "mode": "standard"},
    "max_pool_connections": 16,
}

_SIGN_IN = "Sign in again (aws sso login, aws login, or new session keys), then repeat the command."
_UNKNOWN = ("InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "InvalidSignatureException")
_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired")
_MISSING = ("ResourceNotFoundException", "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue")
_SERVICES = {  # the service of an operation, for the name of its permission
    "DescribeStacks": "cloudformation",
    "ListStackResources": "cloudformation",
    "DescribeAlarms": "cloudwatch",
    "DisableAlarmActions": "cloudwatch",
    "EnableAlarmActions": "cloudwatch",
    "GetEventSourceMapping": "lambda",
    "UpdateEventSourceMapping": "lambda",
    "GetSchedule": "scheduler",
    "UpdateSchedule": "scheduler",
    "GetItem": "dynamodb",
    "PutItem": "dynamodb",
    "DeleteItem": "dynamodb",
    "GetAccountSettings": "lambda",
    "ListEventSourceMappings": "lambda",
    "GetBucketVersioning": "s3",
    "ListSubscriptionsByTopic": "sns",
    "GetSecretValue": "secretsmanager",
    "PutSecretValue": "secretsmanager",
    "Invoke": "lambda",
    "FilterLogEvents": "logs",
    "GetQueueAttributes": "sqs",
    "ReceiveMessage": "sqs",
    "SendMessageBatch": "sqs",
    "DeleteMessageBatch": "sqs",
    "ChangeMessageVisibilityBatch": "sqs",
    "AdminCreateUser": "cognito-idp",
    "AdminGetUser": "cognito-idp",
    "AdminDeleteUser": "cognito-idp",
    "AdminUserGlobalSignOut": "cognito-idp",
    "ListUsers": "cognito-idp",
}
# A batch needs the permission of its single call (Service Authorization Reference, Amazon SQS).
_PERMISSIONS = {"Invoke": "InvokeFunction"}


class Account:
    """Clients of one account and region. boto3 itself reads AWS_ENDPOINT_URL and the like."""

    def __init__(self, profile: str | None, region: str | None) -> None:
        import boto3.session
        from botocore.config import Config

        from bigin_archive.aws import page_parser

        self._config = Config(**_CONFIG)
        with aws_errors("read the AWS configuration"):
            self._session = boto3.session.Session(profile_name=profile, region_name=region)
        page_parser.use(self._session.events)
        self.profile = profile
        self.region: str = self._session.region_name or ""

    def client(self, service: str, more: Config | None = None) -> Any:
        """A client, with the settings ``more``. Raises OperateError if no region is known."""
        with aws_errors("read the AWS configuration"):
            try:
                return self._session.client(service, config=self._config.merge(more) if more else self._config)
            except InvalidRegionError:
                raise OperateError(
                    "This is no name of an AWS region.",
                    "Name the region that the stack was deployed to: --region eu-west-1.",
                    status=2,
                ) from None
            except ValueError:  # botocore raises it for a malformed endpoint
                raise OperateError(
                    "The endpoint URL for AWS is malformed.", "Check AWS_ENDPOINT_URL and ~/.aws/config."
                ) from None

    @property
    def is_on_aws(self) -> bool:
        """Whether this is AWS, and not an emulator. Raises OperateError."""
        host = urlsplit(self.client("s3").meta.endpoint_url).hostname or ""
        return host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws"))

    def regions(self) -> list[str]:
        """The regions that are enabled in this account. Raises OperateError."""
        client = self._session.client("account", config=self._config, region_name=self.region or "us-east-1")
        with aws_errors("list the account's regions"):
            pages = client.get_paginator("list_regions").paginate(
                RegionOptStatusContains=["ENABLED", "ENABLED_BY_DEFAULT"]
            )
            return [str(region["RegionName"]) for page in pages for region in page["Regions"]]

    def describe(self) -> str:
        """The account and region in words, as far as they are known."""
        try:
            number = self.client("sts").get_caller_identity()["Account"]
        except (ClientError, BotoCoreError, OperateError):
            return f"region {self.region}"
        return f"account {number}, region {self.region}"


@contextmanager
def aws_errors(doing: str) -> Iterator[None]:
    """Turn what boto3 raises inside the block into an OperateError; ``doing`` completes "could not ..."."""
    try:
        yield
    except ClientError as error:
        raise _refusal(error, doing) from None
    except BotoCoreError as error:
        raise _trouble(error, doing) from None


def _refusal(error: ClientError, doing: str) -> OperateError:
    code, operation = code_of(error), error.operation_name
    problem = f"Could not {doing} ({code})."
    if code in _EXPIRED:
        return OperateError("Your AWS credentials have expired.", _SIGN_IN)
    if code in _UNKNOWN:
        return OperateError(
            f"AWS does not accept your credentials ({code}).",
            "Check --profile, AWS_PROFILE and AWS_ACCESS_KEY_ID; a wrong clock has the same effect.",
        )
    if "AccessDenied" in code or code in ("UnauthorizedOperation", "AuthorizationError"):
        name = _PERMISSIONS.get(operation, operation.removesuffix("Batch"))
        permission = f"{_SERVICES.get(operation, 'aws')}:{name}"
        return OperateError(
            f"You may not {doing}: AWS denies {permission}.",
            f"Use a profile with this permission, or ask for {permission}.",
        )
    if code in _MISSING:
        return OperateError(problem, "A resource of the stack is gone: deploy the stack again.")
    if code == "OverLimit":
        return OperateError(
            problem,
            "SQS allows 120,000 messages to be read at one time. They become visible again within 15 minutes. Then "
            "run the command again.",
        )
    if "Throttl" in code or code in ("TooManyRequestsException", "RequestLimitExceeded"):
        return OperateError(problem, "AWS accepts no more calls at the moment. Wait a minute, then repeat the command.")
    if "KMS" in code or code in ("DecryptionFailure", "EncryptionFailure"):
        return OperateError(problem, "You may not use the KMS key of the secret or queue. Ask its administrator.")
    return OperateError(problem, "Look up the code in the documentation of AWS. Repeating the command may help.")


def _trouble(error: BotoCoreError, doing: str) -> OperateError:
    name = type(error).__name__
    if isinstance(error, ProfileNotFound):
        return OperateError(
            "There is no such AWS profile on this machine.",
            "See them with aws configure list-profiles. Name one with --profile or AWS_PROFILE.",
            status=2,
        )
    if isinstance(error, NoRegionError):
        return OperateError(
            "No AWS region is given.", "Name the region that the stack was deployed to: --region eu-west-1.", status=2
        )
    if "SSO" in name or "Login" in name or name == "TokenRetrievalError":
        return OperateError("Your sign-in to AWS has expired.", _SIGN_IN)
    if "Credential" in name:
        return OperateError(
            "No usable AWS credentials were found.",
            "Name a profile (--profile or AWS_PROFILE), or sign in: aws configure, aws sso login.",
        )
    if name in ("SSLError", "EndpointConnectionError", "ProxyConnectionError") or "Timeout" in name:
        return OperateError(
            f"AWS cannot be reached ({name}).",
            "Check the network and the region's name; if set, AWS_ENDPOINT_URL, AWS_CA_BUNDLE and HTTPS_PROXY.",
        )
    return OperateError(f"Could not {doing} ({name}).", "Check the network and the configuration in ~/.aws.")
