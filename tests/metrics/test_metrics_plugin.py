from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from spoofbench.metrics.judged import AsvRates, Judged, TandemCosts
from spoofbench_metrics.plugin import spoofbench_metrics


def test_the_metrics_on_offer():
    assert [spec.name for spec in spoofbench_metrics()] == [
        "eer",
        "min-tdcf-2019",
        "min-tdcf-2021",
        "accuracy-at-eer",
    ]


@pytest.mark.parametrize("spec", spoofbench_metrics(), ids=lambda spec: spec.name)
def test_each_metric_judges_scores_and_returns_a_float(spec, costs: TandemCosts):
    judged = Judged(
        bonafide=np.array([1.0, 2.0, 3.0]),
        spoof=np.array([0.0, 1.5]),
        asv=AsvRates(miss=0.02, false_alarm=0.02, spoof_false_alarm=0.5)
        if spec.needs_asv
        else None,
        costs=costs if spec.needs_asv else None,
    )
    value = spec.resolve()(judged)
    assert isinstance(value, float)
    assert 0 <= value <= 1


def test_no_tandem_cost_is_titled_without_its_year():
    titles = [spec.title for spec in spoofbench_metrics() if "tdcf" in spec.name]
    assert titles == ["min t-DCF 2019", "min t-DCF 2021"]


def test_declaring_the_metrics_loads_neither_torch_nor_numpy():
    program = (
        "import sys, spoofbench_metrics.plugin as plugin\n"
        "plugin.spoofbench_metrics()\n"
        "print(sorted({'torch', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
