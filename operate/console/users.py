"""Who may sign in to the deployed console: the users of its Cognito user pool."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from bigin_archive.aws.error_codes import code_of
from operate.errors import OperateError
from operate.stack.aws import aws_errors

_INVITED = "FORCE_CHANGE_PASSWORD"  # the temporary password was not used yet


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may sign in, or is invited; links are counted by ``user_id``."""

    user_id: str
    email: str
    has_signed_in: bool
    is_enabled: bool
    invited_at: datetime


class Users:
    """The users of one stack's console. Every method raises OperateError."""

    def __init__(self, client: Any, pool_id: str) -> None:
        self._client = client
        self._pool = pool_id

    def invite(self, email: str) -> bool:
        """Mail a temporary password, another one if the last was never used; return whether the user is new."""
        attributes = [{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}]
        given = {"UserPoolId": self._pool, "Username": email, "DesiredDeliveryMediums": ["EMAIL"]}
        with aws_errors("invite this user"):
            try:
                self._client.admin_create_user(**given, UserAttributes=attributes)
            except ClientError as error:
                if code_of(error) == "InvalidParameterException":
                    raise OperateError(
                        "Cognito does not accept this as an e-mail address.", "Check the spelling.", status=2
                    ) from None
                if code_of(error) != "UsernameExistsException":
                    raise
            else:
                return True
            if self._find(email)["UserStatus"] != _INVITED:
                raise OperateError(
                    f"{email} can already sign in.", "To reset a forgotten password, use the link on the sign-in page."
                )
            self._client.admin_create_user(**given, MessageAction="RESEND")
        return False

    def all(self) -> Iterator[User]:
        """Everybody."""
        with aws_errors("list the console's users"):
            pages = self._client.get_paginator("list_users").paginate(UserPoolId=self._pool)
            for page in pages:
                yield from map(_user, page["Users"])

    def remove(self, email: str) -> None:
        """Remove the user, and end the sessions."""
        with aws_errors("remove this user"):
            name = self._find(email)["Username"]
            self._client.admin_user_global_sign_out(UserPoolId=self._pool, Username=name)
            self._client.admin_delete_user(UserPoolId=self._pool, Username=name)

    def _find(self, email: str) -> Any:
        try:
            return self._client.admin_get_user(UserPoolId=self._pool, Username=email)
        except ClientError as error:
            if code_of(error) != "UserNotFoundException":
                raise
            raise OperateError(
                f"{email} is not a user of this console.", "See all users: bigin-archive console list."
            ) from None


def _user(found: Any) -> User:
    attributes = {one["Name"]: one["Value"] for one in found["Attributes"]}
    return User(
        user_id=attributes.get("sub", found["Username"]),
        email=attributes.get("email", found["Username"]),
        has_signed_in=found["UserStatus"] != _INVITED,
        is_enabled=found["Enabled"],
        invited_at=found["UserCreateDate"],
    )
