"""What API Gateway answers by itself, which the emulator does not read from a template: put in after the deployment."""

from __future__ import annotations

import json
from typing import Any

_RESPONSES = "x-amazon-apigateway-gateway-responses"  # what SAM makes of GatewayResponses


def put_gateway_responses(cloudformation: Any, apigateway: Any, stack: str) -> None:
    """Gives each API of the stack the responses that its template asks for, and deploys its stage anew."""
    template = cloudformation.get_template(StackName=stack, TemplateStage="Processed")["TemplateBody"]
    resources = (json.loads(template) if isinstance(template, str) else template)["Resources"]
    found = cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
    physical = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}
    for name, resource in resources.items():
        responses = (resource.get("Properties", {}).get("Body") or {}).get(_RESPONSES, {})
        if resource["Type"] != "AWS::ApiGateway::RestApi" or name not in physical or not responses:
            continue
        for kind, response in responses.items():
            apigateway.put_gateway_response(
                restApiId=physical[name],
                responseType=kind,
                **({"statusCode": str(response["statusCode"])} if "statusCode" in response else {}),
                responseParameters=response.get("responseParameters", {}),
                responseTemplates=response.get("responseTemplates", {}),
            )
        for stage in apigateway.get_stages(restApiId=physical[name])["item"]:
            apigateway.create_deployment(restApiId=physical[name], stageName=stage["stageName"])
