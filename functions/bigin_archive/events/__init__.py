"""Events for other systems: announces stored files on the stack's own bus, at least once and with the same id.

The way is bucket, EventBridge, queue, announcer, bus. Only a stored file is announced, and the code that archives does
not know about it. It may import storage, queueing, telemetry and aws. Start with ``announcer``.
"""
