"""Archives attachments of Zoho Bigin in S3, and can prove that no byte is wrong.

The flow, which is also the direction of the imports, from right to left never:

    handlers -> wiring -> api, sweep -> archiving, audit -> ledger, telemetry -> storage
             -> bigin, queueing -> token -> aws

Values (errors, settings, archive_request, request_outcome) lie in the root. Objects with I/O get their clients passed
in; ``wiring`` alone makes them. Start with ``archiving.archiver``.
"""

__version__ = "0.1.0"
