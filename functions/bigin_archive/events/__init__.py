"""Events for other systems: what S3 stored is announced on the stack's own bus, at least once and with the same id.

S3 is the outbox: bucket, EventBridge, queue, announcer, bus. Nothing is announced that is not stored, and the archive
path knows nothing of it. It may import storage, queueing, telemetry and aws. Start with ``announcer``.
"""
