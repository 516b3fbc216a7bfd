"""The notification channels. The webhook's function renews them: it alone may read the secret that they carry."""

from collections.abc import Mapping

from bigin_archive.api.webhook_secret import WebhookSecret
from bigin_archive.aws.function_aws import connection
from bigin_archive.aws.semaphore import Semaphore
from bigin_archive.bigin.client import Bigin
from bigin_archive.bigin.notification_channels import NotificationChannels
from bigin_archive.network import transport
from bigin_archive.settings import WatchSettings
from bigin_archive.token.access_token import AccessTokens


def notification_channels(env: Mapping[str, str]) -> NotificationChannels:
    """Raises SettingsError, also if the stack watches no module."""
    settings = WatchSettings.from_env(env)
    aws = connection(env)
    secrets = aws.connect("secretsmanager", 5)
    semaphore = Semaphore(aws.connect("dynamodb", 5), settings.leases_table)
    tokens = AccessTokens(secrets, settings.token_secret_id, settings.api_url)
    return NotificationChannels(
        Bigin(transport.session(1), settings.api_url, tokens, semaphore.hold),
        settings.modules,
        WebhookSecret(secrets, settings.webhook_secret_id).current,
    )
