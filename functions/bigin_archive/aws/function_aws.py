"""AWS as a function's environment tells it, without boto3's session, which is most of a cold start.

Lambda gives a function region and keys in its environment. Where that says anything else that boto3 would heed, and
this module does not know, boto3's session is made, as everywhere else.
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import certifi

from bigin_archive.aws.connection import Connection
from bigin_archive.aws.json_client import SERVICES, JsonClient
from bigin_archive.aws.signed_http import SignedHttp

# The partition "aws" (botocore's partitions.json), but for regions with a name of four parts.
_REGION = re.compile(r"(us|eu|ap|sa|ca|me|af|il|mx)-[a-z]+-[0-9]+")
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION")
_ENDPOINTS = (
    "AWS_ENDPOINT_URL",
    *(f"AWS_ENDPOINT_URL_{name}" for name in ("DYNAMODB", "SECRETS_MANAGER", "SQS", "S3")),
)
_HEEDED = {*_KEYS, *_ENDPOINTS, "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE"}
# Lambda's own (Lambda developer guide, "Defined runtime environment variables"), which boto3 does not heed; and those
# of EC2's keys, which it asks for only without others.
_UNHEEDED = re.compile(r"AWS_(REGION|ACCESS_KEY|EXECUTION_ENV|LAMBDA_.*|XRAY_.*|EC2_METADATA_.*)")


@dataclass(frozen=True, slots=True, repr=False)
class _Keys:
    access_key: str
    secret_key: str
    token: str | None

    def get_frozen_credentials(self) -> Self:
        return self


@dataclass(frozen=True, slots=True, repr=False)
class FunctionAws:
    """AWS of one function. It has no repr: the environment holds keys."""

    env: Mapping[str, str]
    now: Callable[[], float] = time.time

    @property
    def region_name(self) -> str:
        return self.env["AWS_DEFAULT_REGION"]

    @property
    def s3_host(self) -> str:
        return f"s3.{self.region_name}.amazonaws.com"

    @property
    def ca_bundle(self) -> str:
        return self.env.get("AWS_CA_BUNDLE") or certifi.where()

    def get_credentials(self) -> _Keys:
        access_key, secret_key, _ = (self.env[name] for name in _KEYS)
        return _Keys(access_key, secret_key, self.env.get("AWS_SESSION_TOKEN"))

    def connect(self, service: str, read_timeout_s: float, connections: int = 10, tries: int = 1) -> Any:
        known = SERVICES[service]
        url = (
            self.env.get(f"AWS_ENDPOINT_URL_{known.variable}")
            or self.env.get("AWS_ENDPOINT_URL")
            or f"https://{known.host}.{self.region_name}.amazonaws.com"
        )
        http = SignedHttp(
            url,
            known.host,
            self.region_name,
            self.get_credentials(),
            ca_bundle=self.ca_bundle,
            read_timeout_s=read_timeout_s,
            connections=connections,
            now=self.now,
        )
        return JsonClient(known, http, lambda: self.env.get("_X_AMZN_TRACE_ID"), tries)


def connection(env: Mapping[str, str]) -> Connection:
    """AWS by the environment alone where that says all, else boto3's session."""
    if _says_all(env):
        return FunctionAws(env)
    from bigin_archive.aws.clients import session  # most functions never need it

    return session()


def _says_all(env: Mapping[str, str]) -> bool:
    heeded = {name for name in env if name.startswith("AWS_") and not _UNHEEDED.fullmatch(name)}
    return all(env.get(name) for name in _KEYS) and heeded <= _HEEDED and bool(_REGION.fullmatch(env[_KEYS[2]]))
