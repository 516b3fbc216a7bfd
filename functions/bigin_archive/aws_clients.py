"""AWS clients: one session for all, short time-outs, no retries but where nobody else would."""

import boto3.session
import botocore.session
from botocore.config import Config
from botocore.loaders import Loader

from bigin_archive import __version__


class _KnownServices(Loader):
    """botocore's data files, without the look through 400 folders for the names of all services."""

    def list_available_services(self, type_name: str) -> list[str]:
        """What this application calls."""
        return ["dynamodb", "s3", "secretsmanager", "sqs"]


def session() -> boto3.session.Session:
    """A session whose first client takes a third of the usual time. Region and credentials as boto3 finds them."""
    inner = botocore.session.Session()
    inner.register_component("data_loader", _KnownServices(inner.get_config_variable("data_path")))
    return boto3.session.Session(botocore_session=inner)


def config(read_timeout_s: float, connections: int = 10, attempts: int = 1) -> Config:
    """For all clients: short time-outs; one attempt suffices where the queue (or the caller) retries the whole."""
    return Config(
        connect_timeout=3,
        read_timeout=read_timeout_s,
        retries={"total_max_attempts": attempts, "mode": "standard"},
        max_pool_connections=connections,
        # botocore's own takes a twentieth of a small file's processor time to put together, for every call.
        user_agent=f"bigin-archive/{__version__}",
    )
