"""Deploys a stack of its own, runs ``tests/cloud/checks.py`` on it, and removes it again, also after a failure.

It needs AWS credentials and a region, as ``sam deploy`` does. With BIGIN_CLIENT_ID,
BIGIN_CLIENT_SECRET and BIGIN_GRANT_CODE (and DATA_CENTER) it also connects a Bigin account and sweeps it.
"""

import os
import secrets
import subprocess
import sys
from typing import Any

import boto3

from local.package import DEFAULT_ARCHITECTURE, OWN_RUNTIME, PROJECT, SAM

TEMPLATE = PROJECT / ".aws-sam" / "build" / "template.yaml"
DEPLOY = (
    "--template-file",
    str(TEMPLATE),
    "--resolve-s3",
    "--capabilities",
    "CAPABILITY_IAM",
    "--no-confirm-changeset",
)


def main() -> int:
    """The exit status of the checks; 1 if the stack could not be deployed or removed."""
    name = f"bigin-archive-test-{secrets.token_hex(4)}"
    print(f"The stack {name}: should this program be killed, delete the stack, its bucket and its secret by hand.")
    try:
        subprocess.run([sys.executable, "-m", "local.package", "--runtime", OWN_RUNTIME], cwd=PROJECT, check=True)
        _sam("deploy", "--stack-name", name, *DEPLOY, "--parameter-overrides", *_parameters())
        checks = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/cloud/checks.py"]
        return subprocess.run(
            checks, cwd=PROJECT, env={**os.environ, "BIGIN_ARCHIVE_STACK": name}, check=False
        ).returncode
    except subprocess.CalledProcessError:
        return 1
    finally:
        _remove(name)


def _parameters() -> list[str]:
    centre = os.environ.get("DATA_CENTER", "US")
    built = (f"PythonRuntime={OWN_RUNTIME}", f"Architecture={DEFAULT_ARCHITECTURE}")
    return [*built, "LogRetentionDays=1", f"DataCenter={centre}"]


def _sam(*arguments: str) -> None:
    subprocess.run([str(SAM), *arguments], cwd=PROJECT, env={**os.environ, "SAM_CLI_TELEMETRY": "0"}, check=True)


def _remove(name: str) -> None:
    outputs = _outputs(name)
    _sam("delete", "--stack-name", name, "--no-prompts")
    if bucket := outputs.get("BucketName"):
        resource: Any = boto3.resource("s3")
        resource.Bucket(bucket).object_versions.delete()
        resource.Bucket(bucket).delete()
    if secret := outputs.get("CredentialsSecretId"):
        boto3.client("secretsmanager").delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)
    print(f"The stack {name} is gone, and what it leaves on purpose, too.")


def _outputs(name: str) -> dict[str, str]:
    client = boto3.client("cloudformation")
    try:
        stacks = client.describe_stacks(StackName=name)["Stacks"]
    except client.exceptions.ClientError:
        return {}
    return {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", [])}


if __name__ == "__main__":
    sys.exit(main())
