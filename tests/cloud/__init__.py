"""Checks on a real AWS account: ``make cloud-test``. None of them runs in ``make test``."""
