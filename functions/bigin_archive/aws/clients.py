"""AWS clients: one session for all, short time-outs, no retries but where nobody else would."""

import boto3.session
import botocore.session
from botocore.config import Config
from botocore.httpsession import get_cert_path
from botocore.loaders import Loader

from bigin_archive import __version__
from bigin_archive.aws.s3_http import S3Requests


class _KnownServices(Loader):
    """botocore's data files, without the look through 400 folders for the names of all services."""

    def list_available_services(self, type_name: str) -> list[str]:
        """What this application calls."""
        return ["dynamodb", "s3", "secretsmanager", "sqs"]


class Session(boto3.session.Session):
    """boto3's, and what it lacks: requests to S3 without a client."""

    def __init__(self, inner: botocore.session.Session) -> None:
        super().__init__(botocore_session=inner)
        self._inner = inner

    def bucket(
        self, name: str, *, endpoint_url: str | None = None, read_timeout_s: float, connections: int
    ) -> S3Requests:
        """Requests to a bucket of this session's region, or behind another ``endpoint_url``."""
        return S3Requests(
            f"{endpoint_url}/{name}" if endpoint_url else f"https://{name}.s3.{self.region_name}.{self._dns_suffix()}",
            self.region_name,
            self.get_credentials(),
            ca_bundle=get_cert_path(self._inner.get_config_variable("ca_bundle") or True),
            read_timeout_s=read_timeout_s,
            connections=connections,
        )

    def _dns_suffix(self) -> str:
        partition = self.get_partition_for_region(self.region_name)
        known = self._inner.get_data("partitions")["partitions"]
        return str(next(found["outputs"]["dnsSuffix"] for found in known if found["id"] == partition))


def session() -> Session:
    """A session whose first client takes a third of the usual time. Region and credentials as boto3 finds them."""
    inner = botocore.session.Session()
    inner.register_component("data_loader", _KnownServices(inner.get_config_variable("data_path")))
    return Session(inner)


def config(read_timeout_s: float, connections: int = 10, tries: int = 1) -> Config:
    """For all clients: short time-outs and one try, where the queue (or the caller) retries the whole."""
    return Config(
        connect_timeout=3,
        read_timeout=read_timeout_s,
        retries={"total_max_attempts": tries, "mode": "standard"},
        max_pool_connections=connections,
        # botocore's own takes a twentieth of a small file's processor time to put together, for every call.
        user_agent=f"bigin-archive/{__version__}",
    )
