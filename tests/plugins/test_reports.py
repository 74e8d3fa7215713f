"""What a format writes is parsed back, by another program's reader where there is one."""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import pandas as pd
import pytest

from spoofbench.plugins import catalogue
from spoofbench.specs import MetricSpec
from spoofbench.statistics.intervals import Interval
from spoofbench.statistics.paired import Difference, Placing
from spoofbench.tables import Ranking, ResultTable, Row

FORMATS = ("terminal", "markdown", "latex", "csv", "json")
READ_BY_PEOPLE = ("terminal", "markdown", "latex")
EER = MetricSpec(name="eer", target="a:b", summary="", title="EER", percent=True)
COST = MetricSpec(name="min-cost", target="a:b", summary="", title="min cost", version=3)
THIRD = 1 / 3


def row(run: str, group: str, eer: float, cost: float, *, spoof: int = 63_882) -> Row:
    by = "" if group == "pooled" else "attack"
    values = {"eer": eer, "min-cost": cost}
    return Row(
        run=run,
        by=by,
        group=group,
        bonafide=7_355,
        spoof=spoof,
        values=values,
        against="all" if by else "",
    )


def table(
    runs: Sequence[str] = ("mine",),
    *,
    title: str = "LA (la-eval)",
    stamps: Sequence[str] = ("no human speech",),
) -> ResultTable:
    return ResultTable(
        title=title,
        fingerprint="0123456789abcdef" * 4,
        bonafide=7_355,
        spoof=63_882,
        stamps=tuple(stamps),
        metrics=(EER, COST),
        rows=tuple(
            made
            for run in runs
            for made in (
                row(run, "pooled", THIRD, 0.0275312),
                row(run, "A07", 0.0034, math.nan, spoof=4_914),
                row(run, "mean", 0.0034, math.nan),
            )
        ),
    )


@pytest.fixture
def written() -> Callable[..., str]:
    """Write tables in a format of the catalogue."""

    def written(name: str, *tables: ResultTable) -> str:
        stream = io.StringIO()
        catalogue().reporters.get(name).spec.resolve()(tables, stream)
        return stream.getvalue()

    return written


def cells(line: str) -> list[str]:
    """Split a line of a Markdown table as GitHub does: at bars that are not escaped."""
    return [
        cell.strip().replace("\\|", "|")
        for cell in re.split(r"(?<!\\)\|", line.strip().removeprefix("|").removesuffix("|"))
    ]


def markdown_rows(text: str) -> list[list[str]]:
    return [cells(line) for line in text.splitlines() if line.startswith("|")]


def latex_rows(text: str) -> list[list[str]]:
    lines = [line.removesuffix(r" \\") for line in text.splitlines() if line.endswith(r"\\")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)&", line)] for line in lines]


def terminal_rows(text: str) -> list[list[str]]:
    return [re.split(r"\s{2,}", line.strip()) for line in text.splitlines() if line.strip()]


ROWS = {"markdown": markdown_rows, "latex": latex_rows, "terminal": terminal_rows}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_says_how_many_trials_there_were(written: Callable[..., str], name: str):
    text = written(name, table()).replace(",", "" if name in READ_BY_PEOPLE else ",")
    assert "7355" in text
    assert "63882" in text


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_carries_the_stamps(written: Callable[..., str], name: str):
    text = written(name, table(stamps=["no human speech", "limited"]))
    assert "no human speech" in text
    assert "limited" in text


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_carries_the_fingerprint(written: Callable[..., str], name: str):
    assert "0123456789ab" in written(name, table())


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_takes_several_tables(written: Callable[..., str], name: str):
    text = written(name, table(title="First"), table(title="Second"))
    assert "First" in text
    assert "Second" in text


@pytest.mark.parametrize("name", READ_BY_PEOPLE)
def test_pooled_results_have_four_decimals_of_a_percentage_and_five_of_a_cost(
    written: Callable[..., str], name: str
):
    assert ["mine", "33.3333", "0.02753"] in ROWS[name](written(name, table()))


@pytest.mark.parametrize("name", READ_BY_PEOPLE)
def test_a_group_has_its_count_two_decimals_and_a_dash_for_what_is_not_there(
    written: Callable[..., str], name: str
):
    assert ["A07", "4,914", "0.34", "-"] in ROWS[name](written(name, table()))


@pytest.mark.parametrize("name", READ_BY_PEOPLE)
def test_the_mean_is_not_to_be_taken_for_the_pooled_number(written: Callable[..., str], name: str):
    assert "mean over attacks" in written(name, table())


@pytest.mark.parametrize("name", ["markdown", "terminal"])
def test_a_percentage_is_headed_as_one(written: Callable[..., str], name: str):
    assert ["run", "EER %", "min cost"] in ROWS[name](written(name, table()))


@pytest.mark.parametrize("name", READ_BY_PEOPLE)
def test_several_runs_stand_side_by_side(written: Callable[..., str], name: str):
    rows = ROWS[name](written(name, table(["one", "two"])))
    assert ["attack", "spoof", "one", "two"] in rows
    assert ["A07", "4,914", "0.34", "0.34"] in rows


def test_the_rows_of_a_markdown_table_have_equally_many_cells(written: Callable[..., str]):
    text = written("markdown", table(["a|b", "c"]))
    for section in re.split(r"\n\n", text):
        assert len({len(row) for row in markdown_rows(section)}) <= 1


def test_a_bar_in_a_label_does_not_split_a_markdown_cell(written: Callable[..., str]):
    assert ["a|b", "33.3333", "0.02753"] in markdown_rows(written("markdown", table(["a|b"])))


@pytest.mark.parametrize(
    ("character", "escaped"),
    [
        ("%", r"\%"),
        ("&", r"\&"),
        ("_", r"\_"),
        ("#", r"\#"),
        ("$", r"\$"),
        ("{", r"\{"),
        ("}", r"\}"),
        ("~", r"\textasciitilde{}"),
        ("^", r"\textasciicircum{}"),
        ("\\", r"\textbackslash{}"),
    ],
)
def test_what_latex_would_take_for_a_command_is_escaped(
    written: Callable[..., str], character: str, escaped: str
):
    assert rf"a{escaped}b & 33.3333" in written("latex", table([f"a{character}b"]))


def test_the_rows_of_a_latex_table_have_as_many_cells_as_it_has_columns(
    written: Callable[..., str],
):
    for part in written("latex", table(["a_1", "b&c"])).split(r"\begin{tabular}")[1:]:
        columns = re.match(r"\{([lr]+)\}", part)[1]
        assert {len(row) for row in latex_rows(part)} == {len(columns)}


def test_what_latex_begins_it_ends(written: Callable[..., str]):
    text = written("latex", table(["one", "two"]), table())
    begun = re.findall(r"\\begin\{(\w+)\}", text)
    ended = re.findall(r"\\end\{(\w+)\}", text)
    assert sorted(begun) == sorted(ended) != []
    assert text.count(r"\begin{table}") == text.count(r"\end{table}")
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}")


def test_csv_gives_every_number_back_in_full_precision(written: Callable[..., str]):
    frame = pd.read_csv(io.StringIO(written("csv", table())))
    assert frame["eer"].tolist() == [THIRD, 0.0034, 0.0034]


def test_csv_leaves_a_cell_empty_for_what_is_not_there(written: Callable[..., str]):
    frame = pd.read_csv(io.StringIO(written("csv", table())))
    assert frame["min-cost"].isna().tolist() == [False, True, True]


@pytest.mark.parametrize("label", ['with "quotes", and commas', "two\nlines", "ä€𝄞"])
def test_csv_gives_labels_back_whatever_is_in_them(written: Callable[..., str], label: str):
    frame = pd.read_csv(io.StringIO(written("csv", table([label]))))
    assert set(frame["run"]) == {label}


def test_csv_says_in_every_line_of_which_protocol_it_is(written: Callable[..., str]):
    text = written("csv", table(title="First"), table(title="Second"))
    assert pd.read_csv(io.StringIO(text))["protocol"].tolist() == ["First"] * 3 + ["Second"] * 3


def test_csv_has_one_header_and_unix_line_ends(written: Callable[..., str]):
    text = written("csv", table(title="First"), table(title="Second"))
    assert (text.count("fingerprint"), text.count("\n"), "\r" in text) == (1, 7, False)


def test_json_gives_every_number_back_in_full_precision(written: Callable[..., str]):
    (plain,) = json.loads(written("json", table()))
    assert [row["eer"] for row in plain["rows"]] == [THIRD, 0.0034, 0.0034]


def refuse_constant(name: str) -> None:
    raise ValueError(name)


def test_json_says_null_for_what_is_not_there(written: Callable[..., str]):
    text = written("json", table())
    (plain,) = json.loads(text, parse_constant=refuse_constant)
    assert [row["min-cost"] for row in plain["rows"]] == [0.0275312, None, None]


def test_json_says_which_versions_of_the_metrics_computed_it(written: Callable[..., str]):
    (plain,) = json.loads(written("json", table()))
    assert plain["metrics"]["min-cost"] == {"title": "min cost", "version": 3}


@pytest.mark.parametrize("columns", ["20", "40", "80"])
def test_a_narrow_terminal_cuts_no_number(
    written: Callable[..., str], columns: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", columns)
    labels = [f"run{number}" for number in range(20)]
    text = written("terminal", table(labels))
    assert text.count("33.3333") == 20
    assert text.count(" 0.34") == 2 * 20
    assert "0.02753" in text


def test_a_label_that_looks_like_markup_is_printed_as_it_is(written: Callable[..., str]):
    assert "[bold]mine[/bold]" in written("terminal", table(["[bold]mine[/bold]"]))


def test_what_is_written_to_a_file_has_no_colours(written: Callable[..., str]):
    assert "\x1b" not in written("terminal", table())


def interval(low: float, high: float) -> Interval:
    return Interval(low=low, high=high, level=0.95, method="percentile", replicates=1_000)


def with_intervals() -> ResultTable:
    plain = table()
    rows = [
        replace(made, intervals={"eer": interval(made.values["eer"] / 2, made.values["eer"] * 2)})
        for made in plain.rows
    ]
    return replace(plain, rows=tuple(rows), notes=("[95 % intervals]",))


@pytest.mark.parametrize("name", READ_BY_PEOPLE)
def test_an_interval_stands_behind_its_number(written: Callable[..., str], name: str):
    rows = ROWS[name](written(name, with_intervals()))
    assert ["mine", "33.3333 [16.67, 66.67]", "0.02753"] in rows
    assert ["A07", "4,914", "0.34 [0.17, 0.68]", "-"] in rows


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_says_how_the_numbers_are_to_be_read(written: Callable[..., str], name: str):
    assert "95" in written(name, with_intervals()).replace("\\%", "%").split("intervals]")[0]


def test_csv_gives_the_ends_of_intervals_in_columns_of_their_own(written: Callable[..., str]):
    frame = pd.read_csv(io.StringIO(written("csv", with_intervals())))
    assert frame["eer_low"].tolist() == [THIRD / 2, 0.0017, 0.0017]
    assert frame["eer_high"].tolist() == [THIRD * 2, 0.0068, 0.0068]


def test_json_gives_the_ends_of_intervals(written: Callable[..., str]):
    (plain,) = json.loads(written("json", with_intervals()))
    assert plain["rows"][0]["intervals"] == {"eer": {"low": THIRD / 2, "high": THIRD * 2}}


def crossed() -> ResultTable:
    """Attacks crossed with codecs, one combination of which there are no trials."""
    cells = {"A07 x gsm": 0.01, "A07 x opus": 0.02, "A08 x gsm": 0.03}
    rows = [
        Row(
            run="mine",
            by="attack x codec",
            group=group,
            bonafide=10,
            spoof=5,
            values={"eer": eer, "min-cost": eer},
            against="its own",
        )
        for group, eer in {**cells, "mean": 0.02}.items()
    ]
    return replace(table(), rows=(table().rows[0], *rows))


@pytest.mark.parametrize("name", READ_BY_PEOPLE)
def test_crossed_columns_make_a_matrix_for_each_metric(written: Callable[..., str], name: str):
    rows = ROWS[name](written(name, crossed()))
    assert rows.count(["attack / codec", "gsm", "opus"]) == 2
    assert ["A07", "1.00", "2.00"] in rows
    assert ["A08", "3.00", "-"] in rows
    assert ["A08", "0.0300", "-"] in rows


@pytest.mark.parametrize("name", READ_BY_PEOPLE)
def test_a_breakdown_says_against_which_bona_fide_trials_it_is(
    written: Callable[..., str], name: str
):
    assert "by attack, against all bona fide" in written(name, table())
    assert "by attack x codec, against its own bona fide" in written(name, crossed())


def compared() -> ResultTable:
    plain = table(["one", "two"])
    placings = {
        "one": Placing(1, 0, Difference(0.0, interval(0, 0), 1.0), 1.0),
        "two": Placing(2, 1, Difference(0.0125, interval(0.01, 0.02), 0.001), 0.002),
    }
    ranking = Ranking(metric=EER, alpha=0.05, leaders=("one", "two"), placings=placings)
    return replace(plain, rows=tuple(plain.pooled()), ranking=ranking)


@pytest.mark.parametrize("name", READ_BY_PEOPLE)
def test_a_comparison_says_who_stands_where_and_how_sure_that_is(
    written: Callable[..., str], name: str
):
    rows = ROWS[name](written(name, compared()))
    assert ["one", "1", "33.3333", "-", "-", "-"] in rows
    assert ["two", "2", "33.3333", "1.25 [1.00, 2.00]", "0.0010", "0.0020"] in rows


def test_json_and_csv_give_a_comparison_in_full_precision(written: Callable[..., str]):
    (plain,) = json.loads(written("json", compared()))
    assert plain["ranking"]["runs"]["two"]["p_holm"] == 0.002
    frame = pd.read_csv(io.StringIO(written("csv", compared())))
    assert frame["rank_group"].tolist() == [1, 2]
    assert frame["difference"].tolist() == [0, 0.0125]


@pytest.mark.parametrize("columns", ["40", "60", "80"])
def test_a_table_that_is_too_wide_is_cut_between_columns_and_names_its_rows_again(
    written: Callable[..., str], columns: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", columns)
    wide = table([f"run{number}" for number in range(9)])
    text = written("terminal", wide)
    assert max(map(len, text.splitlines())) <= int(columns)
    assert text.count("A07") > 2
    assert all(text.count(f"run{number}") == 3 for number in range(9))


def summed_up() -> ResultTable:
    """Rows that are neither runs nor groups of trials: numbers with names."""
    values = {"eer": 0.25, "min-cost": 0.5}
    rows = [
        Row(run=run, by="summary", group="worst", bonafide=0, spoof=0, values=values)
        for run in ("one", "two")
    ]
    return replace(table(), rows=tuple(rows))


@pytest.mark.parametrize("name", READ_BY_PEOPLE)
def test_a_table_without_pooled_rows_and_counts_shows_neither(
    written: Callable[..., str], name: str
):
    text = written(name, summed_up())
    assert "pooled" not in text
    assert "bona fide trials" not in text.split("by summary")[1]
    assert ["summary", "one", "two"] in ROWS[name](text)
    assert ["worst", "25.00", "25.00"] in ROWS[name](text)


def test_groups_of_both_classes_have_both_counts(written: Callable[..., str]):
    rows = [replace(made, against="") if made.by else made for made in table().rows]
    text = written("markdown", replace(table(), rows=tuple(rows)))
    assert ["attack", "bona fide", "spoof", "EER %", "min cost"] in markdown_rows(text)
    assert ["A07", "7,355", "4,914", "0.34", "-"] in markdown_rows(text)
