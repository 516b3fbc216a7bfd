"""What API Gateway answers by itself, as the template says: the emulator's CloudFormation leaves it out."""

from __future__ import annotations

from typing import Any

from local.deployment import STACK_NAME

_EXTENSION = "x-amazon-apigateway-gateway-responses"


def add_gateway_responses(cloudformation: Any, apis: Any) -> None:
    """Takes clients; answers of all REST APIs of the stack are as on AWS from then on."""
    template = cloudformation.get_template(StackName=STACK_NAME, TemplateStage="Processed")["TemplateBody"]
    resources = cloudformation.describe_stack_resources(StackName=STACK_NAME)["StackResources"]
    made = {found["LogicalResourceId"]: found["PhysicalResourceId"] for found in resources}
    for name, resource in template["Resources"].items():
        responses = resource.get("Properties", {}).get("Body", {}).get(_EXTENSION, {}) if name in made else {}
        for kind, response in responses.items():
            status = {"statusCode": str(response["statusCode"])} if "statusCode" in response else {}
            apis.put_gateway_response(
                restApiId=made[name],
                responseType=kind,
                responseParameters=response.get("responseParameters", {}),
                responseTemplates=response.get("responseTemplates", {}),
                **status,
            )
        if responses:  # they count from the next deployment on
            for stage in apis.get_stages(restApiId=made[name])["item"]:
                apis.create_deployment(restApiId=made[name], stageName=stage["stageName"])
