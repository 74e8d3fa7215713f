from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from spoofbench.metrics.judged import AsvRates, JointScores, Judged, TandemCosts
from spoofbench_metrics.plugin import spoofbench_metrics


def test_the_metrics_on_offer():
    assert {spec.name for spec in spoofbench_metrics()} == {
        "eer",
        "eer-hull",
        "auc",
        "min-tdcf-2019",
        "min-tdcf-2021",
        "accuracy-at-eer",
        "min-dcf",
        "act-dcf",
        "balanced-accuracy",
        "miss-at-threshold",
        "false-alarm-at-threshold",
        "cllr",
        "min-cllr",
        "a-dcf",
        "t-eer",
    }


@pytest.mark.parametrize("spec", spoofbench_metrics(), ids=lambda spec: spec.name)
def test_each_metric_judges_scores_and_returns_a_float(spec, costs: TandemCosts):
    tandem = spec.needs_asv or spec.needs_joint
    judged = Judged(
        bonafide=np.array([1.0, 2.0, 3.0]),
        spoof=np.array([0.0, 1.5]),
        asv=AsvRates(miss=0.02, false_alarm=0.02, spoof_false_alarm=0.5) if tandem else None,
        costs=costs if tandem else None,
        joint=JointScores(
            kind=np.array([0, 0, 1, 1, 2], dtype=np.int8),
            cm=np.array([1.0, 2.0, 3.0, 3.0, 0.0]),
            asv=np.array([1.0, 4.0, -3.0, 0.0, 2.0]),
        )
        if spec.needs_joint
        else None,
    )
    value = spec.resolve()(judged)
    assert isinstance(value, float)
    assert 0 <= value <= (2 if spec.needs_llr else 1)


@pytest.mark.parametrize("spec", spoofbench_metrics(), ids=lambda spec: spec.name)
def test_scores_that_part_the_classes_are_judged_better_than_scores_of_the_wrong_sign(
    spec, costs: TandemCosts
):
    def judged(sign: int) -> Judged:
        return Judged(
            bonafide=sign * np.array([3.0, 4.0, 5.0]),
            spoof=sign * np.array([-5.0, -4.0]),
            asv=AsvRates(miss=0.02, false_alarm=0.02, spoof_false_alarm=0.5),
            costs=costs,
            joint=JointScores(
                kind=np.array([0, 0, 1, 1, 2, 2], dtype=np.int8),
                cm=sign * np.array([3.0, 4.0, 3.0, 4.0, -3.0, -4.0]),
                asv=np.array([3.0, 4.0, -3.0, -4.0, 3.0, 4.0]),
            ),
        )

    right, wrong = spec.resolve()(judged(1)), spec.resolve()(judged(-1))
    assert (right > wrong) if spec.higher_is_better else (right < wrong)


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


def test_the_metrics_of_the_protocols_load_no_scipy():
    program = (
        "import sys, numpy as np\n"
        "from spoofbench_metrics.plugin import spoofbench_metrics\n"
        "from spoofbench.metrics.judged import AsvRates, Judged, TandemCosts\n"
        "costs = TandemCosts(p_spoof=0.05, p_target=0.9405, p_nontarget=0.0095, c_miss=1.0,\n"
        "                    c_fa=10.0, c_fa_spoof=10.0)\n"
        "judged = Judged(bonafide=np.array([1.0, 2.0]), spoof=np.array([0.0, 1.5]), costs=costs,\n"
        "                asv=AsvRates(miss=0.02, false_alarm=0.02, spoof_false_alarm=0.5))\n"
        "for spec in spoofbench_metrics():\n"
        "    metric = spec.resolve()\n"
        "    if spec.name != 'min-cllr' and not spec.needs_joint:\n"
        "        metric(judged)\n"
        "print(sorted({'torch', 'scipy', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
