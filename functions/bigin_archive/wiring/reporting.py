"""The log and the metrics of a function."""

import logging

from aws_lambda_powertools import Logger, Metrics

from bigin_archive.telemetry import LogLines, Reporter


def reporter() -> Reporter:
    """Powertools' Logger and Metrics, named by the environment (POWERTOOLS_SERVICE_NAME, ..._NAMESPACE)."""
    # urllib3 would log headers that it cannot parse: they hold file names.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    return Reporter(Logger(logger_formatter=LogLines(utc=True)), Metrics())
