"""Time as it is stored, compared and shown: ISO 8601 in UTC with milliseconds, always of the same length.

Of two such texts the smaller one is the earlier time, so DynamoDB can compare them too. Times of different clocks are
compared only with a margin. Pure.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import parsedate_to_datetime

# How far the clocks of Bigin, AWS and this program may differ. S3 refuses a caller whose clock is off by more (Amazon
# S3, error RequestTimeTooSkewed: 15 minutes).
SKEW = timedelta(minutes=15)


def iso(moment: datetime | float) -> str:
    """``moment`` (with a zone, or seconds since 1970) as ``2026-01-31T09:30:00.000+00:00``."""
    if not isinstance(moment, datetime):
        moment = datetime.fromtimestamp(moment, UTC)
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def iso_or_none(moment: datetime | None) -> str | None:
    """As :func:`iso`; None without a time."""
    return iso(moment) if moment else None


def parse(text: object, zone: tzinfo | None = None) -> datetime | None:
    """The time that ``text`` (ISO 8601, any zone) names, in UTC; one that names no zone is in ``zone``.

    None for any other text, or without any zone: a guess could be wrong by half a day.
    """
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
        if moment and moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        return moment.astimezone(UTC) if moment and moment.tzinfo else None
    except (ValueError, OverflowError):  # no time, or one that UTC's calendar does not reach
        return None


def parse_http(text: str | None) -> datetime | None:
    """The time of a Date header (RFC 9110, section 5.6.7), in UTC; None where it is none."""
    try:
        moment = parsedate_to_datetime(text) if text else None
        return moment and (moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None


def is_same(one: str | None, other: str | None) -> bool:
    """Whether two texts are one time: a server may write it in another zone tomorrow, that of its reader.

    Texts that are no times are the same only if they are equal.
    """
    return one == other or ((moment := parse(one)) is not None and moment == parse(other))


def any_since(times: Iterable[object], since: datetime) -> bool:
    """Whether one of ``times``, from another clock, may be ``since`` or later. An unreadable time may be.

    Without any time the answer is yes.
    """
    moments = [parse(time) for time in times]
    # The difference of two times has no limits, a time near the calendar's end has.
    return not moments or any(moment is None or since - moment <= SKEW for moment in moments)
