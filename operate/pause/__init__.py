"""The emergency stop: switches triggers, schedules and alarms off and on.

It may import stack, terminal and errors. Start with ``switches``.
"""
