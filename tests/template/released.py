"""What an update of a stack must never replace: the stateful resources of the last release, in released.json.

Run as a program at a release, it writes that file anew (CONTRIBUTING.md, "Releasing").
"""

import json
from pathlib import Path
from typing import Any

from tests.template.parsed import TEMPLATE

FILE = Path(__file__).with_name("released.json")
# What holds what nobody can make again: files, secrets, messages, tables; and what others know the address of.
STATEFUL = (
    "AWS::S3::Bucket",
    "AWS::SecretsManager::Secret",
    "AWS::DynamoDB::Table",
    "AWS::SQS::Queue",
    "AWS::SNS::Topic",
    "AWS::Logs::LogGroup",
    "AWS::Serverless::Api",
)
# CloudFormation's own schema does not tell of these: the stage is part of the API's address.
MORE = {"AWS::Serverless::Api": ["StageName"]}


def replacing(kind: str) -> list[str]:
    """Properties whose change makes CloudFormation replace a resource of this type, by its resource schemas."""
    if kind in MORE:
        return MORE[kind]
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]  # takes long

    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    paths = [*schema.get("createOnlyProperties", []), *schema.get("conditionalCreateOnlyProperties", [])]
    return sorted({path.split("/")[2] for path in paths})


def stateful(template: dict[str, Any]) -> dict[str, Any]:
    """Logical name of each stateful resource: its type, what must not change, and what becomes of it at the end."""
    return {
        name: {
            "Type": found["Type"],
            "Condition": found.get("Condition"),
            "DeletionPolicy": found.get("DeletionPolicy"),
            "UpdateReplacePolicy": found.get("UpdateReplacePolicy"),
            "Replacing": {
                key: found.get("Properties", {}).get(key)
                for key in replacing(found["Type"])
                if key in found.get("Properties", {})
            },
        }
        for name, found in sorted(template["Resources"].items())
        if found["Type"] in STATEFUL
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(stateful(TEMPLATE), indent=2) + "\n", encoding="utf-8")
