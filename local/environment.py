"""How other programs find the local stack: a JSON file, and variables for a shell."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path


def write(file: Path, text: str) -> None:
    """Write the whole file at once."""
    staging = file.with_name(file.name + ".new")
    staging.write_text(text)
    staging.replace(file)  # a reader sees the whole file or none


def environment(description: Mapping[str, str]) -> str:
    """For a shell: after reading it, the AWS CLI and `bigin-archive` work on the local stack."""
    values = {
        "AWS_ENDPOINT_URL": description["aws_endpoint_url"],
        "AWS_CA_BUNDLE": description["ca_bundle"],
        "AWS_REGION": description["region"],
        "AWS_DEFAULT_REGION": description["region"],
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": os.devnull,  # the user's own AWS profile is not used
        "NO_PROXY": "127.0.0.1",
        "SIMULATOR_URL": description["bigin_api_url"],
    }
    for name, key in (("CALLERS_URL", "callers_url"), ("EVENT_QUEUE_URL", "event_queue_url")):
        if key in description:
            values[name] = description[key]
    lines = [f"export {name}={shlex.quote(value)}" for name, value in values.items()]
    return "\n".join([*lines, "unset AWS_PROFILE AWS_SESSION_TOKEN", ""])
