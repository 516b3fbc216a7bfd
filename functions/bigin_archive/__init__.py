"""Archives attachments of Zoho Bigin in S3, and can prove that no byte is wrong.

The flow, which is also the direction of the imports, never from right to left::

handlers -> wiring -> callers, console -> api, sweep -> archiving, audit, events -> ledger, telemetry -> storage ->
bigin, queueing -> token -> aws, search, page

Values (errors, settings, archive_request, request_outcome) are in the root. ``wiring`` makes all clients and passes
them in. Start with ``archiving.archiver``.
"""

__version__ = "0.1.0"
