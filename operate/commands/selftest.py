"""The command `selftest`: tries what only a real AWS account can show, on resources that are removed again."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import click

from bigin_archive.aws.s3_http import S3Requests, bucket_requests
from bigin_archive.clock import iso
from operate.commands.options import STATUSES, on_a_stack
from operate.doctor.stack import resources
from operate.errors import OperateError
from operate.findings import Finding, ok, show, unknown
from operate.selftest import report, throw_away
from operate.selftest.stack_checks import TEMPLATE_CHECK, checks_of, template_check
from operate.selftest.storage_checks import StorageChecks
from operate.stack.aws import Account
from operate.stack.target import Target
from operate.terminal import say, working

_TEMPLATE = Path("template.yaml")  # of the project's folder, which an installed command does not have with it
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
@click.option(
    "--template",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The template to try; by default template.yaml in this folder.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "machine", is_flag=True, help="Print a JSON report without personal data.")
def selftest(target: Target, template: Path | None, yes: bool, machine: bool) -> int:
    """Try this version's requests in your own AWS account.

    It tries storage and the template, and with a stack its roles and alarms. The exit status is 1 if something differs.
    """
    if not yes:
        say(_PLAN)
        click.confirm("Go on?", abort=True)
    found = []
    for finding in _findings(target, template or (_TEMPLATE if _TEMPLATE.is_file() else None)):
        found.append(finding)
        if not machine:
            show(finding)
    if machine:
        click.echo(report.as_json(found, target.account.region, iso(time.time())))
    else:
        report.show_counts(found)
    return report.exit_status(found)


def _findings(target: Target, template: Path | None) -> Iterator[Finding]:
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
                yield ok(f"{kind}: without x-amz-sdk-checksum-algorithm", seen)
        if template is None:
            remedy = "Run it in the project's folder, or name the file: --template PATH/template.yaml"
            yield unknown(TEMPLATE_CHECK, "there is no template.yaml in this folder", remedy)
        else:
            with working("Trying: the template"):
                plain = made.enter_context(throw_away.bucket(s3, account.region, locked=False))
                yield template_check(account, template.read_text(encoding="utf-8"), plain).run()
    try:
        stack = target.stack
    except OperateError as error:
        yield unknown("roles and alarms", "no stack to look at", error.remedy)
        return
    with working("Trying: roles and alarms"):
        for check in checks_of(account, stack, resources(account, stack)):
            yield check.run()


def _requests(account: Account, bucket: str) -> S3Requests:
    """The same requests as those of the functions, with the operator's credentials."""
    import botocore.session  # which the help does not need

    from bigin_archive.aws.clients import Session

    core = botocore.session.Session(profile=account.profile)
    core.set_config_variable("region", account.region)
    url = None if account.is_on_aws else account.client("s3").meta.endpoint_url
    return bucket_requests(Session(core), bucket, endpoint_url=url, read_timeout_s=30, connections=1)
