"""The use case: one attachment from Bigin to S3, and the worker that does this for a batch of the queue.

It may import bigin, storage, queueing, ledger and telemetry. Start with ``archiver``.
"""
