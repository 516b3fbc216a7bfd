"""Archives attachments of Zoho Bigin in S3, and can prove that no byte is wrong.

The flow, and the direction of the imports (right to left never):

    archive_request -> access_token -> bigin -> storage -> archive -> worker (queue) or api (HTTP)

Pure modules (errors, settings, archive_request, file_names, objects, classify) take and return values.
Modules with I/O get their clients passed in; ``wiring`` alone makes them.
"""

__version__ = "0.1.0"
