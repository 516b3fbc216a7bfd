"""What the archive path needs of AWS, whoever knows it: boto3's session, or the environment alone."""

from typing import Any, Protocol

CONNECT_TIMEOUT_S = 3


class Connection(Protocol):
    """AWS in one region, with the keys of one role."""

    @property
    def region_name(self) -> str | None:
        """Such as ``eu-central-1``; None if nothing tells."""

    @property
    def s3_host(self) -> str:
        """S3's host in the region. Raises SettingsError where there is none."""

    @property
    def ca_bundle(self) -> str:
        """The file with the certificates that count."""

    def get_credentials(self) -> Any:
        """The role's keys, which can be frozen; None without any."""

    def connect(self, service: str, read_timeout_s: float, connections: int = 10, tries: int = 1) -> Any:
        """A client of dynamodb, secretsmanager or sqs, for so many threads.

        It tries once where the queue, or the caller, retries.
        """
