"""The refresher of the access token."""

from collections.abc import Mapping

from bigin_archive.aws.clients import Session, config, session
from bigin_archive.network import transport
from bigin_archive.settings import RefreshSettings
from bigin_archive.token.token_refresher import TokenRefresher


def token_refresher(env: Mapping[str, str], aws: Session | None = None) -> TokenRefresher:
    """Raises SettingsError."""
    settings = RefreshSettings.from_env(env)
    return TokenRefresher(
        transport.session(1),
        (aws or session()).client("secretsmanager", config=config(5)),
        settings,
    )
