"""Declares the metrics. See docs/reference/metrics.md."""

from spoofbench import MetricSpec, hookimpl


@hookimpl
def spoofbench_metrics() -> list[MetricSpec]:
    """Offer the metrics of the ASVspoof challenges."""
    return [
        MetricSpec(
            name="eer",
            target="spoofbench.metrics.detection:eer",
            summary="Equal error rate, as the official ASVspoof scorers define it, ties merged.",
            title="EER",
            percent=True,
        ),
        MetricSpec(
            name="min-tdcf-2019",
            target="spoofbench.metrics.tandem:min_tdcf_2019",
            summary="Legacy tandem detection cost with a fixed ASV system (ASVspoof 2019).",
            title="min t-DCF 2019",
            needs_asv=True,
        ),
        MetricSpec(
            name="min-tdcf-2021",
            target="spoofbench.metrics.tandem:min_tdcf_2021",
            summary="ASV-constrained tandem detection cost (ASVspoof 2021).",
            title="min t-DCF 2021",
            needs_asv=True,
        ),
        MetricSpec(
            name="accuracy-at-eer",
            target="spoofbench.metrics.detection:accuracy_at_eer",
            summary="Share of trials judged rightly at the EER threshold; never the headline.",
            title="accuracy at EER",
            percent=True,
        ),
    ]
