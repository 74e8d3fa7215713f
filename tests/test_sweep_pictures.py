"""Dose-response curves and heat-maps, drawn of runs whose scores are known.

Clean, the bona fide scores are 1, 2, 3, 4, and the attacks are as in `test_tables`: EERs of 0, 1/2
and pooled 1/3. A perfect condition parts the classes, a useless one scores the same throughout.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from program import run_python
from tiny import write_keys

from spoofbench import judging, runs
from spoofbench.errors import InvalidCondition, InvalidRun, InvalidSettings
from spoofbench.pictures import dose_response, heat_map, style, sweeps
from spoofbench.pictures.dose_response import Baseline, Line, Panel, Scale
from spoofbench.pictures.drawn import Caption
from spoofbench.pictures.heat_map import Cells
from spoofbench.plugins import catalogue
from spoofbench.protocols import read
from spoofbench.robustness import reading
from spoofbench.robustness.tables import measure
from spoofbench.runs import ConditionRecord, ModelRecord, WeightsRecord
from spoofbench.scores import ScoreTable
from spoofbench.terms import terms_of
from spoofbench.uncertainty import Uncertainty
from spoofbench.views import View

CLEAN = (1.0, 2.0, 3.0, 4.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 4.0)
PERFECT = (1.0,) * 4 + (0.0,) * 8
USELESS = (0.0,) * 12
SWEEP = {
    "clean": CLEAN,
    "gsm": USELESS,
    "white@0": USELESS,
    "white@20": PERFECT,
    "white@10": CLEAN,
}
NONE = (math.nan, math.nan)


def texts(figure) -> list[str]:
    from matplotlib.text import Text

    return [" ".join(text.get_text().split()) for text in figure.findobj(Text)]


# reading runs again


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_keys(tmp_path / "corpus")
    return tmp_path / "corpus"


def keep(
    root: Path,
    condition: str,
    scores: tuple[float, ...],
    *,
    model: str = "hiss",
    seed: int = 7,
    sha256: str = "",
    number: int = 0,
) -> Path:
    """Keep scores as the run of a model under a condition."""
    terms = terms_of(read(root / "keyed.toml"), catalogue(), root)
    table = ScoreTable(trials=terms.trials, scores=np.array(scores))
    name = f"{model}{sha256}-{condition}-{seed}-{number}".replace(" ", "_").replace("/", "_")
    folder = judging.keep(table, name, terms, root.parent / "runs")
    of = runs.Terms(
        model=ModelRecord(name=model, target="x:X", plugin="p", distribution="d", version="1"),
        weights=WeightsRecord(source="file", sha256=sha256),
        fingerprint=terms.fingerprint,
        samples=None,
        precision="fp32",
        device="cpu",
        condition=None
        if condition == "clean"
        else ConditionRecord(text=condition, seed=seed, augmentations=("white 1 (spoofbench)",)),
    )
    record = runs.read(folder).model_copy(update={"label": model, "terms": of})
    runs.write(record, folder)
    return folder


def keep_sweep(root: Path, *, model: str = "hiss", sha256: str = "") -> list[Path]:
    return [keep(root, c, scores, model=model, sha256=sha256) for c, scores in SWEEP.items()]


def found(folders: list[Path], *, by: str = "") -> reading.Sweeps:
    view = View(metrics=("eer",), by=(by,) if by else ())
    return reading.sweeps(folders, catalogue(), view=view)


def test_conditions_stand_with_clean_first_then_from_easy_to_hard(root: Path):
    (swept,) = found(keep_sweep(root)).swept
    assert [str(c) for c in swept.conditions] == ["clean", "white@20", "white@10", "white@0", "gsm"]
    assert [runs.read(folder).condition for folder in swept.folders] == [
        str(condition) for condition in swept.conditions
    ]


def test_chains_and_conditions_of_one_class_come_last(root: Path):
    more = ["gain@-20 + white@5", "white@0 [spoof only]", "white@0 [bonafide only]"]
    folders = [keep(root, text, CLEAN) for text in [*more, "white@0", "clean"]]
    (swept,) = found(folders).swept
    assert [str(c) for c in swept.conditions] == [
        *("clean", "white@0", "gain@-20 + white@5"),
        *("white@0 [bonafide only]", "white@0 [spoof only]"),
    ]
    assert [c.apply_to for c in swept.conditions[-2:]] == ["bonafide", "spoof"]


def test_runs_are_sorted_by_model_and_weights(root: Path):
    folders = keep_sweep(root) + keep_sweep(root, sha256="ab") + keep_sweep(root, model="mute")
    assert [swept.label for swept in found(folders).swept] == ["hiss", "hiss (2)", "mute"]


def test_a_folder_that_is_named_twice_is_read_once(root: Path):
    folders = keep_sweep(root)
    assert len(found(folders * 2).swept[0].folders) == len(SWEEP)


def test_a_model_on_clean_audio_alone_is_left_out_and_named(root: Path):
    sweeps_found = found([*keep_sweep(root), keep(root, "clean", CLEAN, model="mute")])
    assert sweeps_found.left_out == ("mute",)
    assert [swept.label for swept in sweeps_found.swept] == ["hiss"]


def refused(folders: list[Path]) -> str:
    with pytest.raises(InvalidRun) as raised:
        found(folders)
    assert raised.value.hint
    return str(raised.value)


def test_runs_that_are_no_sweep_are_refused(root: Path):
    said = refused([keep(root, "clean", CLEAN), keep(root, "clean", CLEAN, model="mute")])
    assert "none of these runs is of audio under a condition" in said


def test_a_sweep_without_clean_audio_is_refused(root: Path):
    assert "hiss: there is no run on clean audio" in refused(keep_sweep(root)[1:])


def test_two_runs_of_one_condition_are_refused(root: Path):
    again = keep(root, "white@0", PERFECT, number=1)
    said = refused([*keep_sweep(root), again])
    assert "two runs of white@0" in said
    assert str(again) in said


def test_models_that_did_not_hear_the_same_audio_are_refused(root: Path):
    others = [keep(root, text, CLEAN, model="mute", seed=8) for text in ("clean", "white@0")]
    assert "white@0 is not the same audio in all runs" in refused([*keep_sweep(root), *others])


def test_runs_of_several_fingerprints_are_refused_and_both_are_named(root: Path):
    first = keep_sweep(root)
    file = root / "keyed.toml"
    file.write_text(file.read_text().replace('"eer", ', ""))
    others = [keep(root, text, CLEAN, model="mute") for text in ("clean", "white@0")]
    said = refused(first + others)
    assert "not judged on the same terms" in said
    assert all(runs.read(f[0]).fingerprint[:12] in said for f in (first, others))


def test_a_condition_that_cannot_be_read_any_more_is_named(root: Path):
    with pytest.raises(InvalidCondition, match="white@0@1"):
        found([keep(root, "clean", CLEAN), keep(root, "white@0@1", CLEAN)])


def test_a_condition_that_reads_otherwise_by_now_is_refused(root: Path):
    folders = [keep(root, "clean", CLEAN), keep(root, "white@0.0", CLEAN)]
    assert "'white@0.0' of a run reads as 'white@0' now" in refused(folders)


@pytest.mark.parametrize("label", [None, "other"])
def test_one_of_several_models_must_be_chosen_by_its_label(root: Path, label: str | None):
    swept = found(keep_sweep(root) + keep_sweep(root, model="mute")).swept
    assert reading.chosen(swept, "mute") is swept[1]
    with pytest.raises(InvalidRun, match="hiss, mute"):
        reading.chosen(swept, label)


# from sweeps to what is drawn


def test_a_curve_has_the_eers_that_arithmetic_says(root: Path):
    sweep = found(keep_sweep(root))
    systems = [measure(own, sweep.terms, uncertainty=None) for own in sweep.swept]
    (panel,) = sweeps.panels(systems)
    assert (panel.name, panel.unit) == ("white", "dB SNR")
    (line,) = panel.lines
    assert line.levels == (20, 10, 0)
    assert line.values == pytest.approx((0, 1 / 3, 1 / 2))
    (clean,) = sweeps.baselines(systems)
    assert (clean.label, clean.value) == ("hiss", pytest.approx(1 / 3))


def test_a_model_that_was_run_at_fewer_levels_has_the_points_that_there_are(root: Path):
    few = [keep(root, text, CLEAN, model="mute") for text in ("clean", "white@10", "gsm")]
    sweep = found(keep_sweep(root) + few)
    systems = [measure(own, sweep.terms, uncertainty=None) for own in sweep.swept]
    (panel,) = sweeps.panels(systems)
    assert [line.levels for line in panel.lines] == [(20, 10, 0), (10,)]
    assert panel.levels == (20, 10, 0)


def test_without_two_levels_there_is_no_curve(root: Path):
    sweep = found([keep(root, text, CLEAN) for text in ("clean", "white@10", "gsm")])
    systems = [measure(own, sweep.terms, uncertainty=None) for own in sweep.swept]
    with pytest.raises(InvalidRun, match="two levels") as raised:
        sweeps.panels(systems)
    assert "--snr" in raised.value.hint


def test_intervals_hold_the_curve_and_are_none_without_a_bootstrap(root: Path):
    sweep = found(keep_sweep(root))
    drawn = Uncertainty(unit="trial", replicates=60)
    (system,) = [measure(own, sweep.terms, uncertainty=drawn) for own in sweep.swept]
    (line,) = sweeps.panels([system], uncertainty=drawn)[0].lines
    # At 20 dB no resample has an error, at 0 dB each says the same of everything.
    assert (line.low[0], line.high[0], line.low[2], line.high[2]) == (0, 0, 0.5, 0.5)
    assert line.low[1] < 1 / 3 < line.high[1]
    assert math.isnan(sweeps.panels([system])[0].lines[0].low[1])


def test_cells_have_the_eer_of_each_attack_against_all_bona_fide(root: Path):
    sweep = found(keep_sweep(root), by="attack")
    made = sweeps.cells(measure(sweep.swept[0], sweep.terms, uncertainty=None), sweep.terms)
    assert made.conditions == ("clean", "white@20", "white@10", "white@0", "gsm")
    assert (made.by, made.groups) == ("attack", ("X01", "X02"))
    mixed, half = [1 / 3, 0, 1 / 2], [1 / 2] * 3
    np.testing.assert_allclose(made.values, [mixed, [0, 0, 0], mixed, half, half], atol=1e-12)


# dose-response curves


def line(*values: float, levels: tuple[float, ...] = (20, 10, 0)) -> Line:
    nothing = (math.nan,) * len(values)
    return Line(levels=levels, values=values, low=nothing, high=nothing)


MODELS = [Baseline(label="one", value=0.01), Baseline(label="two", value=0.04)]
WHITE = Panel(name="white", unit="dB SNR", lines=(line(0.02, 0.1, 0.3), line(0.05, 0.06, 0.2)))
ROOM = Panel(
    name="room",
    unit="s RT60",
    lines=(line(0.02, 0.1, levels=(0.2, 1.2)), line(0.1, levels=(0.2,))),
)


def curves(axes) -> dict[str, tuple[list[float], list[float]]]:
    named = [it for it in axes.get_lines() if not it.get_label().startswith("_")]
    return {it.get_label(): tuple(map(list, it.get_data())) for it in named}


def test_each_model_has_its_line_in_percent():
    (axes,) = dose_response.figure_of(MODELS, [WHITE]).axes
    assert curves(axes) == {
        "one": ([20, 10, 0], pytest.approx([2, 10, 30])),
        "two": ([20, 10, 0], pytest.approx([5, 6, 20])),
    }


def test_models_are_told_apart_by_colour_dashes_and_marks():
    (axes,) = dose_response.figure_of(MODELS, [WHITE]).axes
    one, two = [it for it in axes.get_lines() if not it.get_label().startswith("_")]
    for look in ("get_color", "get_linestyle", "get_marker"):
        assert getattr(one, look)() != getattr(two, look)()


@pytest.mark.parametrize(("panel", "easy", "hard"), [(WHITE, 20, 0), (ROOM, 0.2, 1.2)])
def test_levels_get_harder_to_the_right(panel: Panel, easy: float, hard: float):
    (axes,) = dose_response.figure_of(MODELS, [panel]).axes
    along = axes.transData.transform([[easy, 0], [hard, 0]])[:, 0]
    assert along[0] < along[1]
    assert axes.get_xlabel() == panel.unit


def test_clean_audio_is_a_level_line_of_each_model():
    (axes,) = dose_response.figure_of(MODELS, [WHITE]).axes
    level = [it for it in axes.get_lines() if list(it.get_xdata()) == [0, 1]]
    assert [set(it.get_ydata()) for it in level] == [{1.0}, {4.0}]
    said = texts(axes.figure)
    assert "one: clean EER 1.00 %" in said
    assert "two: clean EER 4.00 %" in said


def test_each_augmentation_has_a_panel_and_all_have_one_scale():
    figure = dose_response.figure_of(MODELS, [WHITE, ROOM])
    assert [axes.get_title() for axes in figure.axes] == ["white", "room"]
    assert len({axes.get_ylim() for axes in figure.axes}) == 1


def test_intervals_are_shaded_and_that_of_clean_audio_is_said():
    wide = Line(levels=(20, 0), values=(0.1, 0.2), low=(0.05, 0.1), high=(0.2, 0.3))
    panel = Panel(name="white", unit="dB SNR", lines=(wide,))
    model = Baseline(label="one", value=0.04, low=0.03, high=0.06)
    figure = dose_response.figure_of([model], [panel])
    (band,) = figure.axes[0].collections
    assert band.get_paths()[0].vertices[:, 1].min() == pytest.approx(5)
    assert band.get_paths()[0].vertices[:, 1].max() == pytest.approx(30)
    assert "one: clean EER 4.00 % [3.00 %, 6.00 %]" in texts(figure)


@pytest.mark.parametrize(("highest", "drawn"), [(0.3, False), (0.45, True)])
def test_chance_is_drawn_where_a_curve_comes_near_it(highest: float, drawn: bool):
    panel = Panel(name="white", unit="dB SNR", lines=(line(0.02, 0.1, highest),))
    figure = dose_response.figure_of(MODELS[:1], [panel])
    assert ("chance: 50 %" in texts(figure)) is drawn


def test_another_metric_is_shown_in_its_own_unit():
    scale = Scale(title="min DCF", percent=False)
    figure = dose_response.figure_of(MODELS, [WHITE], scale=scale)
    assert figure.axes[0].get_ylabel() == "min DCF"
    assert "one: clean min DCF 0.0100" in texts(figure)
    assert curves(figure.axes[0])["one"][1] == [0.02, 0.1, 0.3]


def test_bit_rates_that_span_much_have_a_logarithmic_axis_and_decibels_never():
    rates, ratios = (64.0, 16.0, 8.0), (40.0, 20.0, 2.0)
    for levels, unit, kind in ((rates, "kbit/s", "log"), (ratios, "dB SNR", "linear")):
        panel = Panel(name="x", unit=unit, lines=(line(0.1, 0.2, 0.3, levels=levels),))
        (axes,) = dose_response.figure_of(MODELS[:1], [panel]).axes
        assert axes.get_xscale() == kind


@pytest.mark.parametrize("panels", range(1, 13))
@pytest.mark.parametrize("width", [2.5, 3.5, 5.0, 20.0])
def test_panels_stand_in_rows_that_hold_them_all_and_none_is_empty(panels: int, width: float):
    rows, columns = dose_response.grid(panels, width)
    assert (rows - 1) * columns < panels <= rows * columns
    assert columns == 1 or width / columns >= dose_response.NARROWEST


def test_labels_of_levels_that_would_overlap_are_left_out_but_never_the_hardest():
    levels = [float(number) for number in range(100, 120)]
    made = dose_response.names(levels, np.linspace(0, 1, 20).tolist())
    assert made[0] == "100"
    assert made[-1] == "119"
    assert made.count("") > 10


def test_without_a_panel_there_is_nothing_to_draw():
    with pytest.raises(InvalidRun):
        dose_response.figure_of(MODELS, [])


# heat-maps

CELLS = Cells(
    conditions=("clean", "white@0", "gsm"),
    groups=("X01", "X02"),
    by="attack",
    values=np.array([[0.02, 0.01, 0.03], [0.2, 0.4, math.nan], [0.05, 0.05, 0.049]]),
)


def faces(figure) -> np.ndarray:
    """The colours of the cells, ``(conditions, groups + 1, 4)``."""
    from matplotlib.patches import Rectangle

    cells = [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]
    return np.array([cell.get_facecolor() for cell in cells]).reshape(3, 3, 4)


def test_each_cell_has_its_eer_in_percent():
    found_in_it = [text.get_text() for text in heat_map.figure_of(CELLS).axes[0].texts]
    assert found_in_it == ["2.0", "1.0", "3.0", "20.0", "40.0", "5.0", "5.0", "4.9"]


def test_rows_are_conditions_and_columns_are_attacks():
    axes = heat_map.figure_of(CELLS).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["clean", "white@0", "gsm"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["pooled", "X01", "X02"]
    (top, bottom) = axes.transData.transform([[0, 0], [0, 3]])[:, 1]
    assert top > bottom


def test_the_worst_attack_of_each_condition_is_bold_and_the_pooled_eer_never():
    shown = heat_map.figure_of(CELLS).axes[0].texts
    assert [text.get_text() for text in shown if text.get_weight() == "bold"] == [
        *("3.0", "40.0", "5.0")
    ]
    assert heat_map.worst(CELLS.values) == [2, 1, 1]


def test_a_row_without_groups_has_no_worst_one():
    assert heat_map.worst(np.array([[0.1, math.nan, math.nan]])) == [-1]


def test_a_cell_without_trials_is_hatched_and_the_legend_says_so():
    figure = heat_map.figure_of(CELLS)
    hatched = [bool(patch.get_hatch()) for patch in figure.axes[0].patches]
    assert np.flatnonzero(hatched).tolist() == [5]
    assert "hatched: no such trials" in texts(figure)
    whole = Cells(
        conditions=("clean",), groups=("X01",), by="attack", values=np.array([[0.1, 0.2]])
    )
    assert "hatched: no such trials" not in texts(heat_map.figure_of(whole))


def test_the_worse_a_cell_the_darker_it_is_in_grey():
    values = np.linspace(0, 0.5, 17).reshape(1, -1)
    many = Cells(
        conditions=("clean",), groups=tuple(f"A{n}" for n in range(16)), by="attack", values=values
    )
    patches = heat_map.figure_of(many, width=7).axes[0].patches
    grey = [heat_map.luminance(patch.get_facecolor()) for patch in patches]
    assert (np.diff(grey) < 0).all()


def test_every_number_can_be_read_on_its_colour():
    """The contrast is at least 4.5, as WCAG 2.1 asks for (1.4.3)."""
    values = np.linspace(0, 0.5, 17).reshape(1, -1)
    many = Cells(
        conditions=("clean",), groups=tuple(f"A{n}" for n in range(16)), by="attack", values=values
    )
    axes = heat_map.figure_of(many, width=7).axes[0]
    for patch, text in zip(axes.patches, axes.texts, strict=True):
        lights = [heat_map.luminance(c) for c in (patch.get_facecolor(), text.get_color())]
        assert (max(lights) + 0.05) / (min(lights) + 0.05) >= 4.5


def test_pictures_with_one_end_of_the_scale_have_the_same_colours():
    half = Cells(
        conditions=CELLS.conditions, groups=CELLS.groups, by="attack", values=CELLS.values / 2
    )
    alike = [faces(heat_map.figure_of(cells, up_to=0.5)) for cells in (CELLS, half)]
    # 20 % in one picture, 40 % halved in the other: pooled and X01 under white noise.
    np.testing.assert_array_equal(alike[0][1, 0], alike[1][1, 1])
    assert not np.array_equal(alike[0][1, 1], alike[1][1, 1])
    assert np.array_equal(faces(heat_map.figure_of(CELLS)), faces(heat_map.figure_of(half)))


@pytest.mark.parametrize("up_to", [0.0, -0.1, 1.5])
def test_a_scale_without_an_end_is_refused(up_to: float):
    with pytest.raises(InvalidSettings, match="between 0 and 100"):
        heat_map.figure_of(CELLS, up_to=up_to)


def test_numbers_lose_their_decimal_and_then_go_as_cells_get_narrower():
    values = np.array([[0.123, 0.456]])
    wide, narrow = heat_map.numbers(values, 0.3), heat_map.numbers(values, 0.15)
    assert wide is not None
    assert narrow is not None
    assert (wide.texts, narrow.texts) == ([["12.3", "45.6"]], [["12", "46"]])
    assert heat_map.numbers(values, 0.05) is None


def test_a_picture_without_numbers_says_why():
    many = Cells(
        conditions=("clean",),
        groups=tuple(f"A{n}" for n in range(60)),
        by="attack",
        values=np.full((1, 61), 0.1),
    )
    figure = heat_map.figure_of(many, width=3.5)
    assert list(figure.axes[0].texts) == []
    assert any("too narrow for numbers" in text for text in texts(figure))


@pytest.mark.parametrize("width", [3.5, 7.0])
def test_numbers_stay_within_their_cells(width: float):
    values = np.full((2, 14), 0.4444)
    cells = Cells(
        conditions=("clean", "babble@10"),
        groups=tuple(f"A{n:02}" for n in range(7, 20)),
        by="attack",
        values=values,
    )
    figure = heat_map.figure_of(cells, width=width)
    figure.draw_without_rendering()
    axes = figure.axes[0]
    for patch, text in zip(axes.patches, axes.texts, strict=bool(axes.texts)):
        assert text.get_window_extent().width <= patch.get_window_extent().width


def test_without_any_number_there_is_nothing_to_draw():
    nothing = Cells(
        conditions=("clean",), groups=("X01",), by="attack", values=np.full((1, 2), math.nan)
    )
    with pytest.raises(InvalidRun):
        heat_map.figure_of(nothing)


def test_cells_that_do_not_fit_their_names_are_no_cells():
    with pytest.raises(ValueError, match="do not fit"):
        Cells(conditions=("clean",), groups=("X01",), by="attack", values=np.zeros((1, 1)))


# both

FIGURES = {
    "dose-response": lambda caption: dose_response.figure_of(
        MODELS, [WHITE, ROOM], caption=caption
    ),
    "heat-map": lambda caption: heat_map.figure_of(CELLS, caption=caption),
}


@pytest.mark.parametrize("figure_of", FIGURES.values(), ids=FIGURES.keys())
def test_title_counts_and_stamps_stand_in_the_picture(figure_of):
    caption = Caption(title="Keyed", trials="4 bona fide + 8 spoof trials", stamps=("no speech",))
    said = texts(figure_of(caption))
    assert {"Keyed", "4 bona fide + 8 spoof trials", "no speech"} <= set(said)


@pytest.mark.parametrize("figure_of", FIGURES.values(), ids=FIGURES.keys())
def test_the_same_numbers_give_the_same_bytes(figure_of, tmp_path: Path):
    for number in range(2):
        style.save(figure_of(Caption()), tmp_path / f"{number}.svg")
    assert (tmp_path / "0.svg").read_bytes() == (tmp_path / "1.svg").read_bytes()


# the commands


@pytest.mark.parametrize(
    "arguments",
    [
        ["dose-response"],
        ["dose-response", "--metric", "min-dcf", "--width", "3.5"],
        ["dose-response", "--ci", "trial", "--replicates", "50"],
        ["heat-map"],
        ["heat-map", "--up-to", "50"],
    ],
    ids=" ".join,
)
def test_the_command_draws_the_runs_below_a_folder(root, spoofbench_cli, tmp_path, arguments):
    keep_sweep(root)
    command, *more = arguments
    outcome = spoofbench_cli("plot", command, root.parent / "runs", *more, "-o", tmp_path / "x.png")
    assert (outcome.code, outcome.out) == (0, ""), outcome.err
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


def test_a_corpus_that_was_moved_is_found_through_the_option(root, spoofbench_cli, tmp_path):
    keep_sweep(root)
    moved = root.rename(tmp_path / "moved")
    arguments = ("plot", "heat-map", tmp_path / "runs", "-o", tmp_path / "x.svg")
    assert spoofbench_cli(*arguments).code == 2
    assert spoofbench_cli(*arguments, "--data", moved).code == 0


def test_what_is_left_out_is_said(root, spoofbench_cli, tmp_path):
    keep_sweep(root)
    keep(root, "clean", CLEAN, model="mute")
    outcome = spoofbench_cli("plot", "dose-response", tmp_path / "runs", "-o", tmp_path / "x.svg")
    assert (outcome.code, "left out: mute" in outcome.err) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["dose-response", "-o", "x.jpg"], ".png"),
        (["dose-response", "-o", "x.png", "--metric", "eeer"], "did you mean 'eer'?"),
        (["dose-response", "-o", "x.png", "--ci", "word"], "speaker+attack"),
        (["heat-map", "-o", "x.png", "--by", "codec"], "groups are made by: attack"),
        (["heat-map", "-o", "x.png", "--up-to", "0"], "between 0 and 100"),
        (["heat-map", "-o", "x.png", "--model", "other"], "--model 'hiss'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_ends_with_code_2_and_no_picture(
    root, spoofbench_cli, tmp_path, arguments, said: str
):
    keep_sweep(root)
    command, *more = arguments
    outcome = spoofbench_cli("plot", command, tmp_path / "runs", *more)
    assert (outcome.code, "Traceback" in outcome.err) == (2, False)
    assert said in outcome.err
    assert list(tmp_path.glob("x.*")) == []


@pytest.mark.parametrize("command", ["dose-response", "heat-map"])
def test_help_loads_no_matplotlib_and_drawing_no_torch(command: str, root: Path, tmp_path: Path):
    program = (
        "import sys; from spoofbench.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "print(sorted({'matplotlib', 'numpy', 'torch'} & set(sys.modules)), "
        "'matplotlib.pyplot' in sys.modules)"
    )
    said = run_python("-c", program, "plot", command, "--help").out.splitlines()[-1]
    assert said == "[] False"
    keep_sweep(root)
    drawn = ("plot", command, tmp_path / "runs", "-o", tmp_path / "x.svg")
    assert run_python("-c", program, *drawn).out.splitlines()[-1] == (
        "['matplotlib', 'numpy'] False"
    )
