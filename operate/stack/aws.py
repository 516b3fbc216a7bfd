"""AWS as the operator's own credentials see it, with its errors in plain words.

AWS's own messages are not repeated: some quote the request, which may hold a secret.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import boto3.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError, ProfileNotFound

from bigin_archive.aws import page_parser
from bigin_archive.aws.error_codes import code_of
from operate.errors import OperateError

# The read time-out leaves room for SQS's long polling, the connections for those who look at many objects at once.
_CONFIG = Config(
    connect_timeout=5,
    read_timeout=30,
    retries={"total_max_attempts": 4, "mode": "standard"},
    max_pool_connections=16,
)

_SIGN_IN = "Sign in again (aws sso login, aws login, or new session keys), then repeat the command."
_UNKNOWN = ("InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "InvalidSignatureException")
_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired")
_MISSING = ("ResourceNotFoundException", "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue")
_SERVICES = {  # which service an operation belongs to, for the name of the permission
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
    """Clients of one account and region; AWS_ENDPOINT_URL and the like are boto3's own business."""

    def __init__(self, profile: str | None, region: str | None) -> None:
        with aws_errors("read the AWS configuration"):
            self._session = boto3.session.Session(profile_name=profile, region_name=region)
        page_parser.use(self._session.events)
        self.profile = profile
        self.region: str = self._session.region_name or ""

    def client(self, service: str, more: Config | None = None) -> Any:
        """A client, with ``more`` settings; raises OperateError where no region is known."""
        with aws_errors("read the AWS configuration"):
            try:
                return self._session.client(service, config=_CONFIG.merge(more) if more else _CONFIG)
            except ValueError:  # botocore on a malformed endpoint
                raise OperateError(
                    "The endpoint URL for AWS is malformed.", "Check AWS_ENDPOINT_URL and ~/.aws/config."
                ) from None

    @property
    def is_on_aws(self) -> bool:
        """Whether it is AWS that answers, and no emulator of it. Raises OperateError."""
        host = urlsplit(self.client("s3").meta.endpoint_url).hostname or ""
        return host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws"))

    def regions(self) -> list[str]:
        """The regions that this account has switched on. Raises OperateError."""
        client = self._session.client("account", config=_CONFIG, region_name=self.region or "us-east-1")
        with aws_errors("list the account's regions"):
            pages = client.get_paginator("list_regions").paginate(
                RegionOptStatusContains=["ENABLED", "ENABLED_BY_DEFAULT"]
            )
            return [str(region["RegionName"]) for page in pages for region in page["Regions"]]

    def describe(self) -> str:
        """Where this is, as far as it can be told."""
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
            "Check --profile, AWS_PROFILE and AWS_ACCESS_KEY_ID; a clock that is wrong has the same effect.",
        )
    if "AccessDenied" in code or code in ("UnauthorizedOperation", "AuthorizationError"):
        name = _PERMISSIONS.get(operation, operation.removesuffix("Batch"))
        permission = f"{_SERVICES.get(operation, 'aws')}:{name}"
        return OperateError(
            f"You may not {doing}: AWS denies {permission}.",
            f"Use a profile that may, or have {permission} granted to you.",
        )
    if code in _MISSING:
        return OperateError(problem, "A resource of the stack is gone: deploy the stack again.")
    if code == "OverLimit":
        return OperateError(
            problem,
            "SQS lets 120,000 messages be looked at at one time. They become visible again within "
            "15 minutes: run the command again then.",
        )
    if "Throttl" in code or code in ("TooManyRequestsException", "RequestLimitExceeded"):
        return OperateError(problem, "AWS takes no more calls at the moment: wait a minute, then repeat the command.")
    if "KMS" in code or code in ("DecryptionFailure", "EncryptionFailure"):
        return OperateError(problem, "The KMS key of the secret or queue must let you use it: ask its administrator.")
    return OperateError(problem, "Look the code up in the documentation of AWS; a repetition may help.")


def _trouble(error: BotoCoreError, doing: str) -> OperateError:
    name = type(error).__name__
    if isinstance(error, ProfileNotFound):
        return OperateError(
            "There is no such AWS profile on this machine.",
            "aws configure list-profiles shows which there are; name one with --profile or AWS_PROFILE.",
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
