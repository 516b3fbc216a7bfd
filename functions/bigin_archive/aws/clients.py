"""AWS clients: one session for all, short time-outs, and retries only where nobody else would retry."""

from typing import Any

import boto3.session
import botocore.session
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import get_cert_path
from botocore.loaders import Loader

from bigin_archive import __version__
from bigin_archive.aws import page_parser
from bigin_archive.aws.connection import CONNECT_TIMEOUT_S
from bigin_archive.aws.error_codes import had_ended
from bigin_archive.settings import SettingsError

# For a client that signs addresses. Only signature version 4 covers the version of an object and KMS keys. Without the
# addressing style boto3 names S3's global host, which redirects to the region, where the signature is wrong.
SIGNED = Config(signature_version="s3v4", s3={"addressing_style": "virtual"})


class _KnownServices(Loader):
    """botocore's data files, without searching 400 folders for the names of all services."""

    def list_available_services(self, type_name: str) -> list[str]:
        """The services that this application calls."""
        return ["dynamodb", "events", "s3", "secretsmanager", "sns", "sqs"]


class Session(boto3.session.Session):
    """boto3's session, with botocore's own as ``core``."""

    def __init__(self, core: botocore.session.Session) -> None:
        super().__init__(botocore_session=core)
        self.core = core
        core.register("needs-retry", _once_more)
        page_parser.use(self.events)

    @property
    def s3_host(self) -> str:
        """As Connection tells. AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT count as in boto3."""
        partition = self.get_partition_for_region(self.region_name)
        known = self.core.get_data("partitions")["partitions"]
        suffix = next(found["outputs"]["dnsSuffix"] for found in known if found["id"] == partition)
        fips, dual_stack = (self.core.get_config_variable(f"use_{kind}_endpoint") for kind in ("fips", "dualstack"))
        if fips and partition == "aws-cn":
            raise SettingsError("S3 has no FIPS endpoints in China. Do not set AWS_USE_FIPS_ENDPOINT.")
        return f"s3{'-fips' * bool(fips)}{'.dualstack' * bool(dual_stack)}.{self.region_name}.{suffix}"

    @property
    def ca_bundle(self) -> str:
        """As Connection tells."""
        return str(get_cert_path(self.core.get_config_variable("ca_bundle") or True))

    def connect(self, service: str, read_timeout_s: float, connections: int = 10, tries: int = 1) -> Any:
        """As Connection tells; a client of any service."""
        client: Any = self.client
        return client(service, config=config(read_timeout_s, connections, tries))


def _once_more(attempts: int, caught_exception: Exception | None, **_: object) -> float | None:
    """Repeat a request at once (0 seconds) if its kept connection was closed by the other side; None for all others."""
    closed = isinstance(caught_exception, ConnectionClosedError) and had_ended(caught_exception.kwargs.get("error"))
    return 0 if closed and attempts == 1 else None


def session() -> Session:
    """A session whose first client takes a third of the usual time. Region and credentials as boto3 finds them."""
    core = botocore.session.Session()
    core.register_component("data_loader", _KnownServices(core.get_config_variable("data_path")))
    return Session(core)


def config(read_timeout_s: float, connections: int = 10, tries: int = 1) -> Config:
    """The settings of all clients: short time-outs and one try, because the queue (or the caller) retries."""
    return Config(
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=read_timeout_s,
        retries={"total_max_attempts": tries, "mode": "standard"},
        max_pool_connections=connections,
        # To build botocore's own for every call takes a twentieth of a small file's processor time.
        user_agent=f"bigin-archive/{__version__}",
    )
