from __future__ import annotations

from pathlib import Path

import pytest
from inprocess import Spoofbench

from spoofbench.errors import InvalidRun
from spoofbench.pictures.speed import figure_of, lines_of
from spoofbench.speed import report
from spoofbench.speed.cases import Case
from spoofbench.speed.measuring import Measured


def measured(subject: str, batch: int, seconds: float, memory: int, threads: int = 2) -> Measured:
    case = Case(subject=subject, batch=batch, threads=threads)
    return Measured(case=case, seconds=[[seconds]], peak_bytes=[memory], first_seconds=[1.0])


RESULTS = [
    measured("python:/a/b.py:Plain", 8, 4.0, 2_000_000_000),
    measured("python:/a/b.py:Plain", 1, 0.5, 500_000_000),
    measured("aasist", 1, 0.1, 300_000_000),
    measured("aasist", 8, 0.8, 310_000_000),
    measured("aasist", 8, 9.9, 310_000_000, threads=1),
]


def test_lines_are_those_of_the_most_threads_by_rising_batch():
    lines = lines_of(RESULTS)
    assert {name: [r.case.batch for r in line] for name, line in lines.items()} == {
        "b.py:Plain, fp32": [1, 8],
        "aasist, fp32": [1, 8],
    }


def test_what_is_drawn_is_throughput_and_memory():
    figure = figure_of(RESULTS, processor="a processor")
    speed, memory = figure.axes
    (plain, ours) = (list(line.get_ydata()) for line in speed.get_lines())
    assert plain == pytest.approx([2.0, 2.0])
    assert ours == pytest.approx([10.0, 10.0])
    assert [list(line.get_ydata()) for line in memory.get_lines()] == [[0.5, 2.0], [0.3, 0.31]]


def test_an_axis_within_a_power_of_ten_has_numbers_too():
    within = [measured("aasist", batch, batch / 4, 500_000_000) for batch in (1, 8)]
    within += [measured("other", batch, batch / 6, 500_000_000) for batch in (1, 8)]
    speed, _ = figure_of(within, processor="a processor").axes
    low, high = speed.get_ylim()
    assert any(low <= place <= high for place in speed.yaxis.get_majorticklocs())


def test_one_batch_size_makes_no_picture():
    with pytest.raises(InvalidRun, match="two batch sizes"):
        figure_of(RESULTS[:1], processor="")


def test_the_command_draws_what_speed_kept(spoofbench_cli: Spoofbench, tmp_path: Path):
    report.write_json(RESULTS, "aasist", {}, tmp_path / "s.json")
    done = spoofbench_cli("plot", "speed", tmp_path / "s.json", "-o", "speed.svg")
    assert done.code == 0, done.err
    assert "<svg" in (tmp_path / "speed.svg").read_text()
