"""What this plugin offers."""

from collections.abc import Sequence

from spoofbench import ReporterSpec, hookimpl


@hookimpl
def spoofbench_reporters() -> Sequence[ReporterSpec]:
    """Offer the formats that ``--format`` takes."""
    return [
        ReporterSpec(
            name="terminal",
            target="spoofbench_reports.terminal:write",
            summary="Tables for reading in a terminal (the default).",
        ),
        ReporterSpec(
            name="markdown",
            target="spoofbench_reports.markdown:write",
            summary="Markdown tables, for issues and web pages.",
        ),
        ReporterSpec(
            name="latex",
            target="spoofbench_reports.latex:write",
            summary="LaTeX tables in booktabs style, for papers.",
        ),
        ReporterSpec(
            name="csv",
            target="spoofbench_reports.data:write_csv",
            summary="One line for each run and group, numbers in full precision.",
        ),
        ReporterSpec(
            name="json",
            target="spoofbench_reports.data:write_json",
            summary="Everything that the tables hold, in full precision.",
        ),
    ]
