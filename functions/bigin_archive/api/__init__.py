"""The HTTP API: requests of API Gateway in, answers and problem documents out; webhooks and their secret.

It may import everything below the use cases: archiving, queueing, telemetry. Start with ``archive_endpoint``.
"""
