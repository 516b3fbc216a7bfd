"""Zoho's API consoles, and what Zoho's refusals mean for the person who connects."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bigin_archive.token.oauth import GrantError

# ManageEngine ServiceDesk Plus Cloud (a Zoho product), API documentation, page "Data Centres", names the console of
# each. Bigin's own pages name only that of the US.
CONSOLES: Mapping[str, str] = {
    "US": "https://api-console.zoho.com",
    "EU": "https://api-console.zoho.eu",
    "IN": "https://api-console.zoho.in",
    "AU": "https://api-console.zoho.com.au",
    "CN": "https://api-console.zoho.com.cn",
    "JP": "https://api-console.zoho.jp",
    "SA": "https://api-console.zoho.sa",
    "CA": "https://api-console.zohocloud.ca",
}

CLIENT_ID, CLIENT_SECRET, CODE = "client id", "client secret", "code"

# The shapes in Zoho's documentation, used only for a hint.
_TOKEN_SHAPE = re.compile(r"1000\.[0-9a-f]{32}\.[0-9a-f]{32}")
_ID_SHAPE = re.compile(r"1000\.[0-9A-Z]{20,40}")


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why there is no token, what to do, and which values to ask for again. None: a second try cannot help now."""

    problem: str
    remedy: str
    ask_again: tuple[str, ...] | None = ()


_EXPLANATIONS = {
    # Zoho accounts, "Self Client - Authorization code flow": a code lives 3 minutes unless another time is chosen.
    "invalid_code": Explanation(
        "Zoho does not accept the code: it has expired, was used before, or belongs to another client.",
        "Generate a new code in the API console (time duration: 10 minutes) and paste it at once; each works once.",
        (CODE,),
    ),
    "invalid_client": Explanation(
        "Zoho does not know this client. The client id or the client secret is wrong, or they belong to another data "
        "centre than the stack's.",
        "Copy both again from the tab Client Secret. The stack's parameter DataCenter must be the one of your Bigin "
        "account: see the address bar of Bigin.",
        (CLIENT_ID, CLIENT_SECRET),
    ),
    "invalid_client_secret": Explanation(
        "The client secret is wrong.",
        "Copy it again from the tab Client Secret of the API console of this data centre.",
        (CLIENT_SECRET,),
    ),
    "Access Denied": Explanation(
        "Zoho hands out no more tokens at the moment: there were too many requests.",
        "Wait ten minutes, then run the command again with a new code.",
        None,
    ),
    "wrong_data_center": Explanation(
        "Your Bigin account is in another data centre than the stack's parameter DataCenter says.",
        "Deploy with the right DataCenter (see the address bar of Bigin), then authorize with a new code.",
        None,
    ),
    "no_refresh_token": Explanation(
        "Zoho's answer holds no refresh token. Without one the connection would end within the hour.",
        "Zoho gives one only for the code of a Self Client, or of a web client that asked with access_type=offline: "
        "make a Self Client and generate a new code there.",
        (CLIENT_ID, CLIENT_SECRET, CODE),
    ),
    "unreachable": Explanation(
        "Zoho's accounts server cannot be reached.",
        "Check the network. If this machine needs a proxy, set HTTPS_PROXY.",
    ),
    "no_answer": Explanation(
        "Zoho's accounts server gave no usable answer.",
        "Try again in a minute. If your network has a sign-in page or a proxy, sign in there first.",
        (CODE,),
    ),
}


def explain(error: GrantError, values: Mapping[str, str]) -> Explanation:
    """What a failed exchange means for the person who typed ``values``. It repeats none of them."""
    known = _EXPLANATIONS.get(error.code)
    if known is None:
        return Explanation(f"Zoho refuses ({error.code}).", "Generate a new code and try again.", (CODE,))
    hint = _mixed_up(values)
    return Explanation(f"{known.problem} {hint}" if hint else known.problem, known.remedy, known.ask_again)


def _mixed_up(values: Mapping[str, str]) -> str:
    client_id, secret, code = (values.get(name, "") for name in (CLIENT_ID, CLIENT_SECRET, CODE))
    if _TOKEN_SHAPE.fullmatch(client_id):
        return "What you gave as client id looks like a code."
    if _ID_SHAPE.fullmatch(secret) or _TOKEN_SHAPE.fullmatch(secret):
        return "What you gave as client secret looks like a client id or a code."
    if _ID_SHAPE.fullmatch(code):
        return "What you gave as code looks like a client id."
    return ""
