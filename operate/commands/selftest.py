"""The command `selftest`: tries what only a real AWS account can show, on resources that are removed again."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import botocore.session
import click

from bigin_archive.aws.clients import Session
from bigin_archive.aws.s3_http import S3Requests, bucket_requests
from bigin_archive.clock import iso
from operate.commands.options import STATUSES, on_a_stack
from operate.doctor.stack import resources
from operate.errors import OperateError
from operate.selftest import report, throw_away
from operate.selftest.result import Result, Verdict
from operate.selftest.stack_checks import checks_of, template_check
from operate.selftest.storage_checks import StorageChecks
from operate.stack.aws import Account
from operate.stack.target import Target
from operate.terminal import say, working

_PLAN = (
    "This creates two buckets named bigin-archive-selftest-…, one with Object Lock (GOVERNANCE, one day), some 5 MB in "
    "them, and a change set that is never executed. It costs less than a cent. Everything is removed at the end, or "
    "expires by itself after a day."
)


@click.command(
    epilog="""\b
Examples:
  bigin-archive selftest --region eu-central-1
  bigin-archive selftest --stack bigin-archive --yes --json > selftest.json

"""
    + STATUSES
)
@on_a_stack
@click.option("--template", type=click.Path(path_type=Path), default="template.yaml", help="The template to try.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "machine", is_flag=True, help="Print a JSON report without personal data.")
def selftest(target: Target, template: Path, yes: bool, machine: bool) -> int:
    """Try this version's requests in your own AWS account.

    It tries storage and the template, and with a stack its roles and alarms. The exit status is 1 if something differs.
    """
    if not yes:
        say(_PLAN)
        click.confirm("Go on?", abort=True)
    results = list(_results(target, template))
    if machine:
        click.echo(report.as_json(results, target.account.region, iso(time.time())))
    else:
        report.show(results)
    return 1 if any(found.verdict is Verdict.DIFFERENT for found in results) else 0


def _results(target: Target, template: Path) -> Iterator[Result]:
    account = target.account
    s3 = account.client("s3")
    for name in throw_away.leftovers(s3):
        throw_away.remove(s3, name)
    with ExitStack() as made:  # also after Ctrl-C
        for kind, locked in (("bucket", False), ("Object Lock", True)):
            with working(f"Trying: {kind}"):
                bucket = made.enter_context(throw_away.bucket(s3, account.region, locked=locked))
                storage = StorageChecks(_requests(account, bucket), bucket, kind)
                for check in storage.checks():
                    yield check.run()
                seen = "small file {}, streamed file {}".format(*storage.without_the_header())
                yield Result(f"{kind}: without x-amz-sdk-checksum-algorithm", Verdict.EXPECTED, seen)
        if template.is_file():
            with working("Trying: the template"):
                plain = made.enter_context(throw_away.bucket(s3, account.region, locked=False))
                yield template_check(account, template.read_text(encoding="utf-8"), plain).run()
    try:
        stack = target.stack
    except OperateError as error:
        yield Result("roles and alarms", Verdict.UNSUPPORTED, f"no stack to look at: {error.remedy}")
        return
    with working("Trying: roles and alarms"):
        for check in checks_of(account, stack, resources(account, stack)):
            yield check.run()


def _requests(account: Account, bucket: str) -> S3Requests:
    """The same requests as those of the functions, with the operator's credentials."""
    core = botocore.session.Session(profile=account.profile)
    core.set_config_variable("region", account.region)
    url = None if account.is_on_aws else account.client("s3").meta.endpoint_url
    return bucket_requests(Session(core), bucket, endpoint_url=url, read_timeout_s=30, connections=1)
