from __future__ import annotations

from pathlib import Path

import pytest
from tiny import write_keys

from spoofbench.errors import InvalidSettings
from spoofbench.protocols import Protocol, read
from spoofbench.views import AT_THRESHOLD, View


@pytest.fixture
def protocol(tmp_path: Path) -> Protocol:
    return read(write_keys(tmp_path))


def test_an_empty_view_leaves_the_protocol_as_it_is(protocol: Protocol):
    assert View().revise(protocol) == protocol


def test_metrics_and_columns_stand_in_for_the_protocol_s(protocol: Protocol):
    report = View(metrics=("auc",)).revise(protocol).report
    assert (report.metrics, report.by) == (("auc",), protocol.report.by)


def test_no_groups_can_be_asked_for(protocol: Protocol):
    assert protocol.report.by
    assert View(by=()).revise(protocol).report.by == ()


def test_a_threshold_adds_what_is_measured_at_it(protocol: Protocol):
    revised = View(threshold=-0.5).revise(protocol)
    assert revised.detection.threshold == -0.5
    assert revised.report.metrics == (*protocol.report.metrics, *AT_THRESHOLD)


def test_a_metric_that_is_asked_for_twice_is_measured_once(protocol: Protocol):
    revised = View(metrics=(AT_THRESHOLD[0],), threshold=0.0).revise(protocol)
    assert revised.report.metrics == AT_THRESHOLD


@pytest.mark.parametrize("by", ["vocoder", "attack x vocoder", "attack x attack", "utterance"])
def test_a_column_that_makes_no_groups_is_refused_with_those_that_do(protocol: Protocol, by: str):
    with pytest.raises(InvalidSettings) as raised:
        View(by=(by,)).revise(protocol)
    assert "attack" in str(raised.value)
    assert "keyed: " in str(raised.value)


def test_everything_else_of_a_protocol_is_kept(protocol: Protocol):
    revised = View(metrics=("auc",)).revise(protocol)
    assert revised.model_copy(update={"report": protocol.report}) == protocol
