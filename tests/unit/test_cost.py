"""The cost model: what it promises, and that it counts what the template has."""

import itertools

import pytest

from bigin_archive.sweep import weekly_mail
from bigin_archive.telemetry import METRICS
from tests.bench.cost import IDLE, PRICES, PROVED, dollars, idle, per_attachment, proving
from tests.template.parsed import ALARMS, of_type

UNITS = dict(IDLE.values())


def test_an_idle_stack_costs_what_is_promised() -> None:
    """An idle stack costs at most 1.50 dollars a month, and nothing for CloudWatch above its free tier."""
    watching = [(name, units) for name, units in IDLE.values() if name.startswith("CloudWatch")]

    assert idle(free=True) <= 1.50
    assert watching
    assert sum(dollars(name, units, free=True) for name, units in watching) == 0


def test_the_model_counts_what_the_template_has() -> None:
    """The model counts as many secrets, alarms, metrics and dashboards as the template has."""
    assert UNITS["Secrets Manager"] == len(of_type("AWS::SecretsManager::Secret"))
    assert UNITS["CloudWatch, alarm"] == len(ALARMS)
    assert UNITS["CloudWatch, metric"] == len(METRICS) + 1
    assert UNITS["CloudWatch, dashboard"] == len(of_type("AWS::CloudWatch::Dashboard"))


@pytest.mark.parametrize("name", PRICES)
def test_every_price_says_where_it_was_read(name: str) -> None:
    """A price without a source is a guess."""
    assert PRICES[name].seen


def test_a_proof_every_night_grows_with_the_archive_and_no_faster() -> None:
    """Ten times the attachments cost about ten times as much; the lists of versions are a small part."""
    sums = [sum(dollars(*item, free=False) for item in proving(count).values()) for count in PROVED]

    assert all(8 < after / before < 11 for before, after in itertools.pairwise(sums))
    assert dollars(*proving(PROVED[-1])["lists of versions, and the audit's files"], free=False) < 0.1


@pytest.mark.parametrize(("storage_class", "head_usd"), [("STANDARD", 0.4e-6), ("GLACIER_IR", 10e-6)])
def test_a_proof_by_versions_costs_a_twentieth_of_one_by_objects(storage_class: str, head_usd: float) -> None:
    """For 100,000 attachments, lists of versions cost a twentieth of HeadObject in every storage class (S3 pricing)."""
    nights, (name, calls) = 30, proving(100_000)["lists of versions, and the audit's files"]

    assert 20 * calls * PRICES[name].dollars < nights * 100_000 * head_usd, storage_class


def test_the_weekly_mail_estimates_with_the_same_prices() -> None:
    """The three figures of the weekly mail are those of the model, to a tenth."""
    assert weekly_mail.IDLE_USD_A_MONTH == pytest.approx(idle(free=True), rel=0.1)
    assert weekly_mail.GB_USD_A_MONTH == PRICES["S3, storage"].dollars
    assert weekly_mail.FILE_USD == pytest.approx(sum(per_attachment(5e6, 1).values()), rel=0.1)
