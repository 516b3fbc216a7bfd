"""HTTP: requests of API Gateway in, answers and problem documents out; webhooks and their secret.

It may import archiving, queueing, telemetry and everything below them. Start with ``archive_endpoint``.
"""
