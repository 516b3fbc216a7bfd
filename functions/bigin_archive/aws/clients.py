"""AWS clients: one session for all, short time-outs, no retries but where nobody else would."""

import boto3.session
import botocore.session
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError
from botocore.loaders import Loader

from bigin_archive import __version__
from bigin_archive.aws import page_parser
from bigin_archive.aws.error_codes import had_ended

# For a client that signs addresses. Only version 4 binds one to a version of an object, and to KMS keys. Without the
# style boto3 names S3's global host, which sends whoever opens it on to the region: there the signature is wrong.
SIGNED = Config(signature_version="s3v4", s3={"addressing_style": "virtual"})


class _KnownServices(Loader):
    """botocore's data files, without the look through 400 folders for the names of all services."""

    def list_available_services(self, type_name: str) -> list[str]:
        """What this application calls."""
        return ["dynamodb", "events", "s3", "secretsmanager", "sns", "sqs"]


class Session(boto3.session.Session):
    """boto3's, with ``core``, botocore's own: it knows what boto3 does not tell."""

    def __init__(self, core: botocore.session.Session) -> None:
        super().__init__(botocore_session=core)
        self.core = core
        core.register("needs-retry", _once_more)
        page_parser.use(self.events)


def _once_more(attempts: int, caught_exception: Exception | None, **_: object) -> float | None:
    """Seconds until a request is repeated whose kept connection the other side had closed; None for all others."""
    closed = isinstance(caught_exception, ConnectionClosedError) and had_ended(caught_exception.kwargs.get("error"))
    return 0 if closed and attempts == 1 else None


def session() -> Session:
    """A session whose first client takes a third of the usual time. Region and credentials as boto3 finds them."""
    core = botocore.session.Session()
    core.register_component("data_loader", _KnownServices(core.get_config_variable("data_path")))
    return Session(core)


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
