"""Checks before a deployment: AWS credentials and region on this machine, and the quotas of the account."""

import re
from collections.abc import Iterator

from operate.errors import OperateError
from operate.findings import Check, Finding, ok, problem, unknown
from operate.stack.aws import Account, aws_errors

# AWS Lambda developer guide, "Lambda quotas": 1,000 executions at once; new accounts begin with 10.
# Two workers and one each of the other functions, and as many callers of the API as Bigin allows calls at once.
WANTED_EXECUTIONS = 20
# In these regions CloudFormation lacks AWS::Budgets::Budget, and the template refuses MonthlyBudgetUsd.
WITHOUT_BUDGETS = frozenset(
    [
        "af-south-1",
        "ap-east-1",
        "ap-east-2",
        "ap-northeast-3",
        "ap-south-2",
        "ap-southeast-3",
        "ap-southeast-4",
        "ap-southeast-5",
        "ap-southeast-6",
        "ap-southeast-7",
        "ca-west-1",
        "eu-central-2",
        "eu-north-1",
        "eu-south-1",
        "eu-south-2",
        "il-central-1",
        "me-central-1",
        "mx-central-1",
        "us-gov-east-1",
        "us-gov-west-1",
    ]
)
_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d")


def checks(account: Account) -> Iterator[Check]:
    """The checks that need no stack."""
    yield "AWS region", lambda: _region(account)
    yield "AWS credentials", lambda: _credentials(account)
    yield "Lambda quota", lambda: _quota(account)
    if account.region in WITHOUT_BUDGETS:
        yield "Budget", lambda: _budget(account)


def _region(account: Account) -> Finding:
    name, remedy = "AWS region", "Name the region: --region eu-central-1, AWS_REGION, or aws configure."
    if not account.region:
        return problem(name, "No region is given.", remedy)
    if not _REGION.fullmatch(account.region):
        return problem(name, "The given region is not one of AWS.", remedy)
    return ok(name, account.region)


def _credentials(account: Account) -> Finding:
    name = "AWS credentials"
    try:
        with aws_errors("ask AWS for your identity"):
            who = account.client("sts").get_caller_identity()
    except OperateError as error:
        return problem(name, error.problem, error.remedy)
    kind = str(who["Arn"]).split(":")[-1].split("/")[0]
    return ok(name, f"account {who['Account']}, as {kind}")


def _quota(account: Account) -> Finding:
    name = "Lambda quota"
    with aws_errors("read the quotas of Lambda"):
        limit = account.client("lambda").get_account_settings()["AccountLimit"]
    executions, free = int(limit["ConcurrentExecutions"]), int(limit["UnreservedConcurrentExecutions"])
    text = f"{executions} functions may run at one time in this account and region, {free} of them are not reserved"
    if free < WANTED_EXECUTIONS:
        return problem(
            name,
            f"Only {text}: calls may be throttled.",
            "You can deploy anyway. Ask for 1000 in the console of Service Quotas: AWS Lambda, Concurrent "
            "executions. It costs nothing, and takes hours to days.",
        )
    return ok(name, text)


def _budget(account: Account) -> Finding:
    return unknown(
        "Budget",
        f"CloudFormation cannot create a budget in {account.region}: MonthlyBudgetUsd must stay 0.",
        "Create one by hand in AWS Budgets. It counts all regions.",
    )
