"""Bigin's form of a moment: ISO 8601 with a numeric offset and no fractions of a second."""

from datetime import datetime, timedelta, timezone

ORG_ZONE = timezone(timedelta(hours=3))  # the offset of the organisation in the recorded exchanges


def iso(epoch_s: float) -> str:
    """Return seconds since the epoch as Bigin writes them, in the organisation's offset."""
    return datetime.fromtimestamp(int(epoch_s), ORG_ZONE).isoformat()


def epoch_s(text: str) -> float:
    """Return a moment in Bigin's form as seconds since the epoch.

    Raises:
        ValueError: the text is not ISO 8601 or carries no offset.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset")
    return moment.timestamp()
