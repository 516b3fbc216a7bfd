"""Times as they are stored and compared."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from bigin_archive import clock

INDIA = timezone(timedelta(hours=5, minutes=30))


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 1, 31, 9, 30, tzinfo=UTC), "2026-01-31T09:30:00.000+00:00"),
        (datetime(2026, 1, 31, 15, 0, 0, 999, tzinfo=INDIA), "2026-01-31T09:30:00.000+00:00"),
        (1769851800.25, "2026-01-31T09:30:00.250+00:00"),
    ],
)
def test_a_time_has_one_form(moment: datetime | float, text: str) -> None:
    """Whatever zone and precision it comes in, a time is stored in UTC and in milliseconds."""
    assert text == clock.iso(moment)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026-01-31T15:00:00+05:30", "2026-01-31T09:30:00.000+00:00"),
        ("2026-01-31T09:30:00Z", "2026-01-31T09:30:00.000+00:00"),
        ("2026-01-31T09:30:00", None),
        ("2026-13-31T09:30:00+00:00", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-12:00", None),
        ("yesterday", None),
        ("", None),
        (None, None),
        (1769851800, None),
        (["2026-01-31T09:30:00Z"], None),
    ],
)
def test_what_is_no_time_is_none(text: object, found: str | None) -> None:
    """A time is read in any zone. A time that cannot be read or has no zone is None."""
    assert found == clock.iso_or_none(clock.parse(text))


def test_a_zone_may_be_known_beforehand() -> None:
    """Where the source promises a zone, a time that names none is in that zone."""
    assert datetime(2026, 1, 31, 9, 30, tzinfo=UTC) == clock.parse("2026-01-31T15:00:00", INDIA)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Sat, 31 Jan 2026 09:30:00 GMT", "2026-01-31T09:30:00.000+00:00"),
        ("Saturday, 31-Jan-26 09:30:00 GMT", "2026-01-31T09:30:00.000+00:00"),
        ("Sat, 31 Jan 2026 09:30:00 -0000", "2026-01-31T09:30:00.000+00:00"),
        ("Sat, 31 Jan 2026 12:30:00 +0300", "2026-01-31T09:30:00.000+00:00"),
        ("2026-01-31T09:30:00Z", None),
        ("Sat, 99 Jan 2026 09:30:00 GMT", None),
        ("", None),
        (None, None),
    ],
)
def test_a_server_tells_its_time_in_a_header(text: str | None, found: str | None) -> None:
    """A Date header is read in any zone; a text that is no time is None."""
    assert found == clock.iso_or_none(clock.parse_http(text))


SINCE = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("times", "may_be"),
    [
        (["2026-01-31T09:30:00Z"], True),
        (["2026-01-31T09:16:00Z"], True),
        (["2026-01-31T14:46:00+05:30"], True),
        (["2026-01-31T09:14:59Z"], False),
        (["2026-01-01T00:00:00Z", "2026-01-31T09:16:00Z"], True),
        (["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"], False),
        (["2026-01-01T00:00:00Z", "soon"], True),
        (["2026-01-31T09:00:00"], True),
        ([None], True),
        ([], True),
    ],
)
def test_times_of_another_clock_are_compared_with_a_margin(times: list[object], *, may_be: bool) -> None:
    """A time that is up to 15 minutes too early counts as in time, and so does one that cannot be read."""
    assert may_be is clock.any_since(times, SINCE)


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("2026-01-31T09:00:00+01:00", "2026-01-31T13:30:00+05:30", True),
        ("2026-01-31T09:00:00+01:00", "2026-01-31T08:00:00.000000Z", True),
        ("2026-01-31T09:00:00+01:00", "2026-01-31T08:00:00.001Z", False),
        ("2026-01-31T09:00:00", "2026-01-31T09:00:00Z", False),
        ("2026-01-31T09:00:00", "2026-01-31T09:00:00", True),
        ("soon", "soon", True),
        ("soon", "later", False),
        (None, None, True),
        (None, "soon", False),
    ],
)
def test_a_time_is_the_same_in_any_zone(one: str | None, other: str | None, *, is_same: bool) -> None:
    """Bigin writes times in the zone of the connected user, who may move."""
    assert is_same is clock.is_same(one, other) is clock.is_same(other, one)


@pytest.mark.parametrize("since", ["0001-01-01T00:00:00Z", "0001-01-01T00:05:00Z"])
def test_a_margin_reaches_beyond_no_calendar(since: str) -> None:
    """Whoever asks for all that was changed since the year 1 gets it."""
    begin = clock.parse(since)
    assert begin

    assert clock.any_since(["0001-01-01T00:00:00Z"], begin)
    assert clock.any_since(["9999-12-31T23:59:59Z"], begin)
