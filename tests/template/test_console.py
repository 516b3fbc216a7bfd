"""The console in template.yaml: there only when asked for, closed to all but invited people, able to read alone."""

from typing import Any

import pytest

from bigin_archive.console.routes import LINK_S, RECORD_ROUTE
from tests.template.parsed import RESOURCES, TEMPLATE

CONSOLE = {name: found for name, found in RESOURCES.items() if name.startswith("Console")}
FUNCTION: dict[str, Any] = RESOURCES["ConsoleFunction"]["Properties"]
CLIENT: dict[str, Any] = RESOURCES["ConsoleClient"]["Properties"]
USERS: dict[str, Any] = RESOURCES["ConsoleUsers"]["Properties"]
API: dict[str, Any] = RESOURCES["ConsoleApi"]["Properties"]
FOR_EVERYBODY = {"/", "/app.js", "/app.css"}


def test_nothing_of_it_exists_while_it_is_off() -> None:
    """Every resource and every output has its condition, and off is the default."""
    outputs = {name: found for name, found in TEMPLATE["Outputs"].items() if name.startswith("Console")}

    assert TEMPLATE["Parameters"]["Console"]["Default"] == "OFF"
    assert TEMPLATE["Conditions"]["HasConsole"] == {"Fn::Equals": [{"Ref": "Console"}, "ON"]}
    assert len(CONSOLE) >= 9
    assert {found.get("Condition") for found in [*CONSOLE.values(), *outputs.values()]} == {"HasConsole"}


def test_routes_are_those_of_the_code() -> None:
    """All but the page and its two files ask for an access token with the scope."""
    routes = {event["Properties"]["Path"]: event["Properties"] for event in FUNCTION["Events"].values()}
    authorizer = API["Auth"]["Authorizers"][API["Auth"]["DefaultAuthorizer"]]

    assert set(routes) == FOR_EVERYBODY | {"/search", RECORD_ROUTE, "/links", "/status"}
    assert {path for path, given in routes.items() if given.get("Auth") == {"Authorizer": "NONE"}} == FOR_EVERYBODY
    assert all("Auth" not in given for path, given in routes.items() if path not in FOR_EVERYBODY)
    assert {path for path, given in routes.items() if given["Method"] == "post"} == {"/links"}
    assert authorizer == {
        "UserPoolArn": {"Fn::GetAtt": ["ConsoleUsers", "Arn"]},
        "AuthorizationScopes": ["archive/read"],
    }


def test_what_the_gateway_refuses_has_the_headers_too() -> None:
    """A refused token is answered with a problem document and the headers of every answer."""
    answers = API["GatewayResponses"]

    unknown = ("MISSING_AUTHENTICATION_TOKEN", "INVALID_SIGNATURE")  # its names for an unknown path
    for kind in ("UNAUTHORIZED", "ACCESS_DENIED", "THROTTLED", *unknown, "DEFAULT_4XX", "DEFAULT_5XX"):
        headers = answers[kind]["ResponseParameters"]["Headers"]
        assert headers["X-Content-Type-Options"] == "'nosniff'"
        assert headers["Referrer-Policy"] == "'no-referrer'"
        assert headers["Cache-Control"] == "'no-store'"
    assert '"code": "unauthorized"' in answers["UNAUTHORIZED"]["ResponseTemplates"]["application/json"]
    for kind in unknown:
        assert answers[kind]["StatusCode"] == 404
        assert '"code": "unknown_route"' in answers[kind]["ResponseTemplates"]["application/json"]


def test_users_are_invited_and_have_long_passwords() -> None:
    """Nobody signs up, twelve characters at least, a second factor for who wants one."""
    assert USERS["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is True
    assert USERS["Policies"]["PasswordPolicy"]["MinimumLength"] >= 12
    assert (USERS["MfaConfiguration"], USERS["EnabledMfas"]) == ("OPTIONAL", ["SOFTWARE_TOKEN_MFA"])


def test_the_client_is_a_page_that_keeps_nothing() -> None:
    """No secret, the code flow alone, an hour of access, no use for a refresh token, and one way back."""
    assert CLIENT["GenerateSecret"] is False
    assert CLIENT["AllowedOAuthFlows"] == ["code"]
    assert CLIENT["AllowedOAuthScopes"] == ["archive/read"]
    assert CLIENT["ExplicitAuthFlows"] == ["ALLOW_USER_SRP_AUTH"]
    assert CLIENT["PreventUserExistenceErrors"] == "ENABLED"
    assert (CLIENT["AccessTokenValidity"], CLIENT["TokenValidityUnits"]["AccessToken"]) == (60, "minutes")
    assert CLIENT["CallbackURLs"] == CLIENT["LogoutURLs"] == [TEMPLATE["Outputs"]["ConsoleUrl"]["Value"]]


def test_an_address_that_was_signed_long_ago_downloads_nothing() -> None:
    """The bucket refuses any signature that is older than 15 minutes; the console's links are younger."""
    statement = RESOURCES["BucketOnlyByTls"]["Properties"]["PolicyDocument"]["Statement"][1]

    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Resource"] == {"Fn::Sub": "${Bucket.Arn}/*"}
    assert statement["Condition"] == {
        "StringEquals": {"s3:authType": "REST-QUERY-STRING"},
        "NumericGreaterThan": {"s3:signatureAge": "900000"},
    }
    assert LINK_S * 1000 < 900_000


@pytest.mark.parametrize("name", ["ConsoleUsers", "ConsoleLinks"])
def test_nothing_is_left_when_it_is_switched_off(name: str) -> None:
    """Users are invited again, links counted anew."""
    assert RESOURCES[name]["DeletionPolicy"] == "Delete"
