"""Declares the metrics. See docs/reference/metrics.md."""

from spoofbench import MetricSpec, hookimpl


@hookimpl
def spoofbench_metrics() -> list[MetricSpec]:
    """Offer the metrics of the ASVspoof challenges, and others that papers ask for."""
    return [*_ranking(), *_tandem(), *_decisions(), *_llrs(), *_joint()]


def _ranking() -> list[MetricSpec]:
    return [
        MetricSpec(
            name="eer",
            target="spoofbench.metrics.detection:eer",
            summary="Equal error rate, as the official ASVspoof scorers define it, ties merged.",
            title="EER",
            percent=True,
            weighted=True,
        ),
        MetricSpec(
            name="eer-hull",
            target="spoofbench.metrics.curves:eer_hull",
            summary="Equal error rate on the convex hull of the ROC curve.",
            title="EER on hull",
            percent=True,
            weighted=True,
        ),
        MetricSpec(
            name="auc",
            target="spoofbench.metrics.curves:auc",
            summary="Area under the ROC curve; a tie counts half.",
            title="AUC",
            percent=True,
            higher_is_better=True,
            weighted=True,
        ),
    ]


def _tandem() -> list[MetricSpec]:
    return [
        MetricSpec(
            name="min-tdcf-2019",
            target="spoofbench.metrics.tandem:min_tdcf_2019",
            summary="Legacy tandem detection cost with a fixed ASV system (ASVspoof 2019).",
            title="min t-DCF 2019",
            needs_asv=True,
            weighted=True,
        ),
        MetricSpec(
            name="min-tdcf-2021",
            target="spoofbench.metrics.tandem:min_tdcf_2021",
            summary="ASV-constrained tandem detection cost (ASVspoof 2021).",
            title="min t-DCF 2021",
            needs_asv=True,
            weighted=True,
        ),
    ]


def _decisions() -> list[MetricSpec]:
    return [
        MetricSpec(
            name="accuracy-at-eer",
            target="spoofbench.metrics.detection:accuracy_at_eer",
            summary="Share of trials judged rightly at the EER threshold; never the headline.",
            title="accuracy at EER",
            percent=True,
            higher_is_better=True,
            weighted=True,
        ),
        MetricSpec(
            name="min-dcf",
            target="spoofbench.metrics.costs:min_dcf",
            summary="Detection cost at the best threshold (ASVspoof 5 track 1).",
            title="min DCF",
            weighted=True,
        ),
        MetricSpec(
            name="act-dcf",
            target="spoofbench.metrics.costs:act_dcf",
            summary="Detection cost at the Bayes threshold (ASVspoof 5 track 1).",
            title="act DCF",
            needs_llr=True,
            weighted=True,
        ),
        MetricSpec(
            name="balanced-accuracy",
            target="spoofbench.metrics.costs:balanced_accuracy",
            summary="Mean share of each class judged rightly at the protocol's threshold.",
            title="balanced accuracy",
            percent=True,
            needs_llr=True,
            higher_is_better=True,
            weighted=True,
        ),
        MetricSpec(
            name="miss-at-threshold",
            target="spoofbench.metrics.costs:miss_at_threshold",
            summary="Share of bona fide trials rejected at the protocol's threshold.",
            title="miss at threshold",
            percent=True,
            needs_llr=True,
            weighted=True,
        ),
        MetricSpec(
            name="false-alarm-at-threshold",
            target="spoofbench.metrics.costs:false_alarm_at_threshold",
            summary="Share of spoofs accepted at the protocol's threshold.",
            title="false alarm at threshold",
            percent=True,
            needs_llr=True,
            weighted=True,
        ),
    ]


def _llrs() -> list[MetricSpec]:
    return [
        MetricSpec(
            name="cllr",
            target="spoofbench.metrics.calibration_quality:cllr",
            summary="Cost of the scores as log-likelihood ratios, in bits.",
            title="Cllr",
            needs_llr=True,
            weighted=True,
        ),
        MetricSpec(
            name="min-cllr",
            target="spoofbench.metrics.calibration_quality:min_cllr",
            summary="Least Cllr that calibration could reach, in bits.",
            title="min Cllr",
            weighted=True,
        ),
    ]


def _joint() -> list[MetricSpec]:
    return [
        MetricSpec(
            name="a-dcf",
            target="spoofbench.metrics.sasv:a_dcf",
            summary="Architecture-agnostic detection cost of both systems' scores, fused.",
            title="min a-DCF",
            needs_joint=True,
            needs_llr=True,
            weighted=True,
        ),
        MetricSpec(
            name="t-eer",
            target="spoofbench.metrics.sasv:t_eer",
            summary="Concurrent tandem equal error rate of both systems.",
            title="t-EER",
            percent=True,
            needs_joint=True,
            weighted=True,
        ),
    ]
