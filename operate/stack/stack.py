"""What the commands know of a deployed stack, read from CloudFormation."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from bigin_archive.aws.error_codes import code_of
from bigin_archive.settings import DATA_CENTERS, DataCenter, SettingsError, data_center
from operate.errors import OperateError
from operate.stack.aws import Account, aws_errors

_OUTPUTS = {"CredentialsSecretId", "RefreshTokenFunctionName"}  # outputs that every stack of this application has
_MOST_STACKS = 500  # the most that are read for a hint
# The template's parameters, and their names in settings.data_center.
_HOST_PARAMETERS = {
    "DataCenter": "DATA_CENTER",
    "BiginApiUrl": "BIGIN_API_URL",
    "BiginAccountsUrl": "BIGIN_ACCOUNTS_URL",
}


@dataclass(frozen=True, slots=True)
class Stack:
    """One deployed stack: its outputs, and the hosts that its parameters choose."""

    name: str
    region: str
    hosts: DataCenter
    credentials_secret_id: str
    token_secret_id: str
    bucket: str
    key_prefix: str
    ledger_table: str
    sweep_function: str
    daily_credits: int
    share_percent: int
    queue_url: str
    dead_letter_queue_url: str
    refresh_function: str
    webhook_url: str
    webhook_function: str
    webhook_logs: str
    watched: tuple[str, ...]
    leases_table: str | None = None
    # None while the parameter Console, Callers or Events is OFF.
    console_url: str | None = None
    console_user_pool_id: str | None = None
    callers_url: str | None = None
    callers_table: str | None = None
    event_queue_url: str | None = None

    @property
    def data_center(self) -> str | None:
        """The data centre of the accounts server; None for a simulator on this machine."""
        for name, hosts in DATA_CENTERS.items():
            if hosts.accounts_url == self.hosts.accounts_url:
                return name
        return None

    @property
    def is_local(self) -> bool:
        """Whether it runs on this machine, on an emulator of AWS."""
        return urlsplit(self.webhook_url).hostname in ("127.0.0.1", "localhost")


def find(account: Account, name: str | None) -> Stack:
    """Find the stack; None means the only one in the region. Raises OperateError, which says where it looked."""
    if name == "":  # from a shell variable that is not set
        raise OperateError("No stack is named.", "Name it: --stack bigin-archive.", status=2)
    client = account.client("cloudformation")
    if name is None:
        name = _only_one(account, client)
    with aws_errors("look the stack up"):
        try:
            found = client.describe_stacks(StackName=name)["Stacks"][0]
        except ClientError as error:
            # What CloudFormation answers for a name that it does not know (API Reference, DescribeStacks).
            if code_of(error) != "ValidationError":
                raise
            raise _not_found(account, client, name) from None
    return from_description(found, account.region)


def from_description(found: Mapping[str, Any], region: str) -> Stack:
    """Read one entry of DescribeStacks. Raises OperateError unless it is a stack of this template."""
    name, status = found["StackName"], found.get("StackStatus", "")
    outputs = {output["OutputKey"]: output.get("OutputValue", "") for output in found.get("Outputs", [])}
    parameters = {given["ParameterKey"]: given.get("ParameterValue", "") for given in found.get("Parameters", [])}
    try:
        return Stack(
            name=name,
            region=region,
            hosts=data_center({env: parameters.get(key, "") for key, env in _HOST_PARAMETERS.items()}),
            credentials_secret_id=outputs["CredentialsSecretId"],
            token_secret_id=outputs["TokenSecretId"],
            bucket=outputs["BucketName"],
            key_prefix=outputs.get("KeyPrefix", ""),
            ledger_table=outputs["LedgerTable"],
            sweep_function=outputs["SweepFunctionName"],
            daily_credits=int(parameters.get("DailyCredits") or 50_000),
            share_percent=int(parameters.get("CreditsSharePercent") or 50),
            queue_url=outputs["QueueUrl"],
            dead_letter_queue_url=outputs["DeadLetterQueueUrl"],
            refresh_function=outputs["RefreshTokenFunctionName"],
            webhook_url=f"{outputs['ApiUrl']}/webhooks/bigin",
            webhook_function=outputs["ReceiveWebhookFunctionName"],
            webhook_logs=outputs["ReceiveWebhookLogGroupName"],
            watched=tuple(module for module in parameters.get("WatchModules", "").split(",") if module),
            leases_table=outputs.get("LeasesTable"),
            console_url=outputs.get("ConsoleUrl"),
            console_user_pool_id=outputs.get("ConsoleUserPoolId"),
            callers_url=outputs.get("CallersUrl"),
            callers_table=outputs.get("CallersTable"),
            event_queue_url=outputs.get("EventQueueUrl"),
        )
    except (KeyError, SettingsError):
        if not outputs and status:
            raise OperateError(
                f"The stack {name} has no outputs; its status is {status}.",
                "Wait until its deployment is done. If it failed, deploy it again.",
            ) from None
        raise OperateError(
            f"The stack {name} exists, but it is not a stack of this version of Bigin Archive: outputs or parameters "
            "are missing.",
            "Check the name, or deploy this version's template.",
        ) from None


def _only_one(account: Account, client: Any) -> str:
    with aws_errors("list the stacks"):
        names = _stacks_of_ours(client)
    if len(names) == 1:
        return names[0]
    if names:
        raise OperateError(
            f"There are {len(names)} stacks of Bigin Archive in {account.describe()}: {', '.join(names)}.",
            "Name one with --stack or BIGIN_ARCHIVE_STACK.",
            status=2,
        )
    raise OperateError(
        f"There is no stack of Bigin Archive in {account.describe()}.",
        "Check --region and --profile. To deploy one: make build, then .venv/sam/bin/sam deploy --guided.",
    )


def _not_found(account: Account, client: Any, name: str) -> OperateError:
    try:
        others = _stacks_of_ours(client)
    except (ClientError, BotoCoreError):  # the right to describe one stack does not include listing all
        others = []
    remedy = "Check --stack, --region and --profile."
    if others:
        remedy += f" Stacks of Bigin Archive there: {', '.join(others)}."
    return OperateError(f"There is no stack {name} in {account.describe()}.", remedy)


def descriptions(account: Account) -> list[dict[str, Any]]:
    """CloudFormation's description of each stack of this application, of any version. Raises OperateError."""
    with aws_errors("list the stacks"):
        return list(_ours(account.client("cloudformation")))


def _ours(client: Any) -> Iterator[dict[str, Any]]:
    """The region's stacks that have the outputs of this template."""
    pages = client.get_paginator("describe_stacks").paginate(PaginationConfig={"MaxItems": _MOST_STACKS})
    for page in pages:
        for stack in page["Stacks"]:
            if {output["OutputKey"] for output in stack.get("Outputs", [])} >= _OUTPUTS:
                yield stack


def _stacks_of_ours(client: Any) -> list[str]:
    return [str(stack["StackName"]) for stack in _ours(client)]
