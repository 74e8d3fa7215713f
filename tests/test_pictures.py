from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from program import run_python
from scipy.special import expit, ndtr, ndtri
from tiny import write_keys

from spoofbench.errors import InvalidScores, InvalidSettings, StorageError
from spoofbench.metrics.detection import eer_point, operating_points
from spoofbench.metrics.judged import DetectionCosts
from spoofbench.pictures import det, histogram, reliability, style
from spoofbench.pictures.drawn import Caption, Drawn

SIGNATURES = {"png": b"\x89PNG\r\n", "svg": b"<?xml", "pdf": b"%PDF-"}


def normal(label: str = "normal", *, shift: float = 1.5, trials: int = 4_000) -> Drawn:
    """Scores of normal distributions: the EER is Phi(-shift) up to chance."""
    random = np.random.default_rng(5)
    return Drawn(
        label=label,
        bonafide=random.normal(shift, 1, trials),
        spoof=random.normal(-shift, 1, 2 * trials),
    )


PERFECT = Drawn(label="perfect", bonafide=np.arange(1.0, 57.0), spoof=-np.arange(1.0, 145.0))
CONSTANT = Drawn(label="constant", bonafide=np.zeros(56), spoof=np.zeros(144))
COARSE = Drawn(label="coarse", bonafide=np.array([0.0, 1, 1, 2]), spoof=np.array([0.0, 0, 1, -1]))


def texts(figure) -> list[str]:
    from matplotlib.text import Text

    return [" ".join(text.get_text().split()) for text in figure.findobj(Text)]


def lines(figure) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The lines of the picture that have a label, by it."""
    (axes,) = figure.axes
    named = [line for line in axes.get_lines() if not line.get_label().startswith("_")]
    return {line.get_label(): line.get_data() for line in named}


def marks(figure) -> list[tuple[float, float]]:
    (axes,) = figure.axes
    dots = [line for line in axes.get_lines() if line.get_linestyle() == "None"]
    return [(float(dot.get_xdata()[0]), float(dot.get_ydata()[0])) for dot in dots]


# DET curves


def test_the_line_of_normal_scores_is_straight_on_axes_of_normal_deviates():
    ((false_alarm, miss),) = lines(det.figure_of([normal(shift=1.0, trials=40_000)])).values()
    seen = (false_alarm > 0.01) & (false_alarm < 0.5) & (miss > 0.01) & (miss < 0.5)
    sums = ndtri(false_alarm[seen]) + ndtri(miss[seen])
    assert np.abs(sums + 2).max() < 0.1


def test_equal_distances_on_the_axes_are_equal_normal_deviates():
    (axes,) = det.figure_of([normal()]).axes
    low, middle, high = ndtr([-2, -1.5, -1])
    places = axes.transData.transform([[low, low], [middle, middle], [high, high]])
    np.testing.assert_allclose(places[2] - places[1], places[1] - places[0])


def test_few_trials_are_drawn_at_their_exact_operating_points():
    few = Drawn(
        label="few", bonafide=np.array([0.2, 1, 2, 3]), spoof=np.array([-2.0, -1, 0.1, 0.5])
    )
    drawn = lines(det.figure_of([few]))["few"]
    (axes,) = det.figure_of([few]).axes
    low, high = axes.get_xlim()
    inside = {(x, y) for x, y in zip(*drawn, strict=True) if low <= x <= high and low <= y <= high}
    # Thresholds in (0.1, 0.2] give (1/4, 0), those in (0.2, 0.5] (1/4, 1/4), then (0, 1/4).
    assert inside == {(0.25, 0.25)}


def test_a_curve_is_a_staircase_where_no_scores_are_tied():
    ((false_alarm, miss),) = lines(det.figure_of([normal(trials=50)])).values()
    level, upright = np.diff(miss) == 0, np.diff(false_alarm) == 0
    assert (level | upright).all()


def test_many_trials_are_thinned_by_less_than_can_be_seen():
    points = operating_points(normal(trials=100_000).bonafide, normal(trials=100_000).spoof)
    low, high = 0.005, 0.4
    false_alarm, miss = det.path(points, low, high)
    assert false_alarm.size < 6 * det.FINENESS
    step = (ndtri(high) - ndtri(low)) / det.FINENESS
    seen = (points.false_alarm > low) & (points.miss > low)
    seen &= (points.false_alarm < high) & (points.miss < high)
    deviates = ndtri(points.miss[seen]), ndtri(points.false_alarm[seen])
    drawn = np.interp(deviates[1], ndtri(false_alarm[::-1]), ndtri(miss[::-1]))
    # A point may lie anywhere on an upright piece; a neighbour to each side is on its ends.
    aside = [
        np.interp(deviates[1] + side * step, ndtri(false_alarm[::-1]), ndtri(miss[::-1]))
        for side in (-1.0, 1.0)
    ]
    assert (deviates[0] <= np.maximum(drawn, aside[0]) + step).all()
    assert (deviates[0] >= np.minimum(drawn, aside[1]) - step).all()


def test_the_legend_has_the_label_and_the_eer_of_each_system():
    systems = [normal("weak", shift=1), normal("strong", shift=2)]
    said = texts(det.figure_of(systems))
    for system in systems:
        percent = f"{100 * eer_point(system.bonafide, system.spoof).eer:.2f}"
        assert any(text.startswith(f"{system.label}: EER {percent} %") for text in said)


def test_the_least_cost_in_the_legend_is_the_least_over_all_thresholds():
    system, costs = normal(), DetectionCosts(p_spoof=0.2, c_miss=2, c_fa=3)
    thresholds = [*system.bonafide, *system.spoof, np.inf]
    bonafide, spoof = np.sort(system.bonafide), np.sort(system.spoof)
    miss = bonafide.searchsorted(thresholds) / bonafide.size
    false_alarm = 1 - spoof.searchsorted(thresholds) / spoof.size
    least = (0.8 * 2 * miss + 0.2 * 3 * false_alarm).min() / 0.6
    said = texts(det.figure_of([system], costs=costs))
    assert any(f"min DCF {least:.4f}" in text for text in said)


def test_the_costs_stand_in_the_picture():
    said = texts(det.figure_of([normal()], costs=DetectionCosts(p_spoof=0.2, c_miss=2, c_fa=3)))
    assert "hollow: min DCF (P_spoof 0.2, C_miss 2, C_fa 3)" in said


def test_the_point_of_the_eer_is_marked():
    point = eer_point(normal().bonafide, normal().spoof)
    assert marks(det.figure_of([normal()]))[0] == (point.false_alarm, point.miss)


def test_the_bayes_threshold_is_marked_where_scores_are_llrs():
    system, threshold = normal(), -np.log(1.9)  # of ASVspoof 5: 0.05, 1, 10
    rates = (system.spoof >= threshold).mean(), (system.bonafide < threshold).mean()
    assert marks(det.figure_of([system], llr=True))[2] == rates


def test_a_threshold_that_the_costs_state_is_marked():
    system = normal()
    figure = det.figure_of([system], costs=DetectionCosts(threshold=0.5))
    assert marks(figure)[2] == ((system.spoof >= 0.5).mean(), (system.bonafide < 0.5).mean())
    assert "cross: stated threshold, 0.500" in texts(figure)


def test_systems_differ_by_colour_by_dashes_and_by_mark():
    looks = [style.look(number) for number in range(5)]
    assert len({look.colour for look in looks}) == 5
    assert len({str(look.dashes) for look in looks}) == 5
    assert len({look.marker for look in looks}) == 5


def test_the_looks_of_35_systems_differ():
    looks = {(look.colour, str(look.dashes)) for look in map(style.look, range(35))}
    assert len(looks) == 35


def test_a_system_without_errors_is_drawn_along_the_edge():
    figure = det.figure_of([PERFECT])
    low, high = figure.axes[0].get_xlim()
    false_alarm, miss = lines(figure)["perfect"]
    corners = list(zip(false_alarm, miss, strict=True))
    np.testing.assert_allclose(corners, [(high, low), (low, low), (low, high)])
    assert any("perfect: EER 0.00 %" in text for text in texts(figure))


def test_a_system_that_says_the_same_of_everything_is_a_falling_diagonal():
    figure = det.figure_of([CONSTANT])
    false_alarm, miss = lines(figure)["constant"]
    np.testing.assert_allclose((false_alarm + miss)[2:-2], 1)
    assert any("constant: EER 50.00 %" in text for text in texts(figure))


def test_a_tie_of_both_classes_is_a_straight_line_in_rates():
    tied = Drawn(
        label="tied", bonafide=np.repeat([1.0, 0], [8, 2]), spoof=np.repeat([1.0, 0], [1, 9])
    )
    false_alarm, miss = lines(det.figure_of([tied]))["tied"]
    # From (1, 0) over (0.1, 0.2) to (0, 1): the EER lies on the first piece.
    inside = (false_alarm > 0.1) & (false_alarm < 0.5)
    assert inside.sum() > 10
    np.testing.assert_allclose(miss[inside], (1 - false_alarm[inside]) * 0.2 / 0.9)


@pytest.mark.parametrize("shift", [-2, 0.1, 3])
def test_the_axes_hold_what_is_marked(shift: float):
    figure = det.figure_of([normal(shift=shift)])
    low, high = figure.axes[0].get_xlim()
    assert low < high
    assert all(low <= rate <= high for mark in marks(figure)[:1] for rate in mark)


def test_more_than_seven_curves_are_marked_at_their_eer_alone():
    figure = det.figure_of(
        [normal(f"A{number:02d}", shift=1 + number / 20) for number in range(13)]
    )
    assert len(marks(figure)) == 13
    assert not any("min DCF" in text for text in texts(figure))


# histograms


def stairs(figure) -> list:
    from matplotlib.patches import StepPatch

    return figure.findobj(StepPatch)


def test_the_area_of_each_class_is_one():
    (axes,) = histogram.figure_of(normal()).axes
    for patch in axes.patches:
        values, edges, _ = patch.get_data()
        assert (values * np.diff(edges)).sum() == pytest.approx(1)


def test_the_classes_differ_without_colour():
    hatches = {patch.get_hatch() for patch in histogram.figure_of(normal()).axes[0].patches}
    assert len(hatches) == 2


def test_the_threshold_of_the_eer_is_drawn_and_said():
    figure = histogram.figure_of(normal())
    (line,) = figure.axes[0].get_lines()
    point = eer_point(normal().bonafide, normal().spoof)
    assert line.get_xdata()[0] == point.threshold
    said = f"threshold of the EER ({100 * point.eer:.2f} %): {point.threshold:.4g}"
    assert said in texts(figure)


def test_scores_far_out_are_left_out_and_counted():
    spoof = np.concatenate([np.linspace(-1, 0, 1000), [-1e6]])
    figure = histogram.figure_of(Drawn(label="far", bonafide=np.linspace(0, 1, 1000), spoof=spoof))
    assert figure.axes[0].get_xlim()[0] > -3
    assert any("1 trials lie beyond" in text for text in texts(figure))


def test_each_of_a_few_distinct_scores_has_a_bin_of_its_own():
    random = np.random.default_rng(3)
    bins = histogram.bins_of(random.integers(0, 5, 100) * 0.5, random.integers(-4, 3, 100) * 0.5)
    np.testing.assert_allclose((bins.edges[1:] + bins.edges[:-1]) / 2, np.arange(-4, 5) * 0.5)


def test_every_group_has_a_row_with_its_name_and_its_eer():
    groups = [normal(f"A{number:02d}", shift=0.5 + number / 10) for number in range(13)]
    figure = histogram.figure_by_group(normal(), groups)
    said = texts(figure)
    assert len(figure.axes[0].patches) == 26
    for group in groups:
        assert group.label in said
        assert f"EER {100 * eer_point(group.bonafide, group.spoof).eer:.2f} %" in said


def test_on_a_logarithmic_axis_the_labels_are_plain_numbers():
    figure = histogram.figure_of(normal(), log=True)
    figure.draw_without_rendering()
    assert figure.axes[0].get_yscale() == "log"
    assert "0.01" in texts(figure)


# reliability


def calibrated(trials: int) -> Drawn:
    """Scores of N(2, 4) and of N(-2, 4): each is its own log-likelihood ratio."""
    random = np.random.default_rng(8)
    return Drawn(
        label="calibrated",
        bonafide=random.normal(2, 2, trials),
        spoof=random.normal(-2, 2, 3 * trials),
    )


@pytest.mark.parametrize("prior", [0.05, 0.5, 0.9])
def test_of_calibrated_scores_the_posterior_is_what_happens(prior: float):
    scores = calibrated(200_000)
    bins = reliability.bins_of(scores.bonafide, scores.spoof, prior=prior)
    np.testing.assert_allclose(bins.observed, bins.predicted, atol=0.02)
    inside = (bins.low <= bins.predicted) & (bins.predicted <= bins.high)
    assert inside.sum() >= 8


def test_overconfident_scores_promise_more_than_happens():
    scores = calibrated(50_000)
    bins = reliability.bins_of(3 * scores.bonafide, 3 * scores.spoof, prior=0.5)
    assert (bins.observed[6:9] < bins.predicted[6:9]).all()
    assert (bins.observed[1:4] > bins.predicted[1:4]).all()


def test_every_trial_is_in_one_bin():
    bins = reliability.bins_of(PERFECT.bonafide, PERFECT.spoof, prior=0.5)
    assert (bins.bonafide.sum(), bins.spoof.sum()) == (56, 144)


def test_at_the_prior_of_the_trials_the_observed_share_is_the_counted_one():
    scores = calibrated(100)
    bins = reliability.bins_of(scores.bonafide, scores.spoof, prior=0.25)
    posterior = expit(np.concatenate([scores.bonafide, scores.spoof]) + np.log(0.25 / 0.75))
    among = (posterior >= 0.3) & (posterior < 0.4)
    np.testing.assert_allclose(bins.observed[3], among[:100].sum() / among.sum())
    np.testing.assert_allclose(bins.predicted[3], posterior[among].mean())


def test_the_intervals_are_those_of_wilson():
    from scipy.stats import binomtest

    low, high = reliability.wilson(np.array([0, 3, 50]), np.array([5, 10, 50]))
    expected = [
        binomtest(hits, trials).proportion_ci(0.95, method="wilson")
        for hits, trials in ((0, 5), (3, 10), (50, 50))
    ]
    np.testing.assert_allclose(low, [interval.low for interval in expected], atol=1e-12)
    np.testing.assert_allclose(high, [interval.high for interval in expected], atol=1e-12)


@pytest.mark.parametrize("prior", [0, 1, -1, float("nan")])
def test_a_prior_lies_between_0_and_1(prior: float):
    with pytest.raises(InvalidSettings, match="a prior lies between 0 and 1"):
        reliability.figure_of([normal()], prior=prior)


def test_numbers_given_stand_in_the_legend():
    system = Drawn(label="it", bonafide=np.ones(3), spoof=-np.ones(3), numbers=("Cllr 0.1234",))
    assert "it, Cllr 0.1234" in texts(reliability.figure_of([system]))


# every picture

FIGURES = {
    "det": lambda system, **more: det.figure_of([system], **more),
    "histogram": histogram.figure_of,
    "log": lambda system, **more: histogram.figure_of(system, log=True, **more),
    "groups": lambda system, **more: histogram.figure_by_group(system, [system, system], **more),
    "reliability": lambda system, **more: reliability.figure_of([system], **more),
}
CAPTION = Caption(
    title="A protocol with a name that is far too long for a column of a paper (of-that-name)",
    trials="56 bona fide + 144 spoof trials",
    stamps=("no human speech: generated by formulas",),
)


@pytest.mark.parametrize("figure_of", FIGURES.values(), ids=FIGURES.keys())
@pytest.mark.parametrize(
    "system", [PERFECT, CONSTANT, COARSE, normal(trials=2)], ids=lambda system: system.label
)
def test_odd_scores_are_drawn_without_a_warning(figure_of, system: Drawn, tmp_path: Path, recwarn):
    style.save(figure_of(system), tmp_path / "picture.svg")
    assert "<path" in (tmp_path / "picture.svg").read_text()
    assert [str(warning.message) for warning in recwarn] == []


@pytest.mark.parametrize("figure_of", FIGURES.values(), ids=FIGURES.keys())
def test_the_caption_with_its_stamp_is_in_the_picture_and_nothing_is_cut_off(figure_of):
    long = Drawn(label="a-$very$-long_label-" * 8, bonafide=PERFECT.bonafide, spoof=CONSTANT.spoof)
    figure = figure_of(
        long if figure_of is not FIGURES["groups"] else PERFECT, caption=CAPTION, width=3.5
    )
    said = " ".join(texts(figure))
    for text in (CAPTION.title, CAPTION.trials, *CAPTION.stamps):
        assert text in said
    with style.styled():
        figure.draw_without_rendering()
        box = figure.get_tightbbox()
    assert box.x0 > -0.02
    assert box.y0 > -0.02
    assert box.x1 < figure.get_figwidth() + 0.02
    assert box.y1 < figure.get_figheight() + 0.02


@pytest.mark.parametrize("kind", SIGNATURES)
def test_a_picture_is_what_its_ending_says(kind: str, tmp_path: Path):
    file = tmp_path / f"picture.{kind}"
    style.save(det.figure_of([COARSE]), file)
    assert file.read_bytes().startswith(SIGNATURES[kind])


@pytest.mark.parametrize("figure_of", FIGURES.values(), ids=FIGURES.keys())
def test_every_svg_of_the_same_scores_is_the_same(figure_of, tmp_path: Path):
    for number in range(3):
        style.save(figure_of(COARSE), tmp_path / f"{number}.svg")
    assert len({file.read_bytes() for file in tmp_path.iterdir()}) == 1


def test_the_same_scores_give_the_same_bytes_in_every_process(tmp_path: Path):
    program = (
        "import sys, numpy as np; from pathlib import Path\n"
        "from spoofbench.pictures import det, style; from spoofbench.pictures.drawn import Drawn\n"
        "it = Drawn(label='it', bonafide=np.arange(4.0), spoof=np.arange(4.0) - 2)\n"
        "figure = det.figure_of([it])\n"
        "for file in sys.argv[1:]: style.save(figure, Path(file))\n"
    )
    made = []
    for seed in "12":
        files = [tmp_path / f"{seed}.{kind}" for kind in SIGNATURES]
        assert run_python("-c", program, *files, env={"PYTHONHASHSEED": seed}).code == 0
        made.append([file.read_bytes() for file in files])
    assert made[0] == made[1]


def test_settings_of_the_user_do_not_change_a_picture(tmp_path: Path):
    import matplotlib

    style.save(det.figure_of([COARSE]), tmp_path / "one.svg")
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.hashsalt": None}):
        style.save(det.figure_of([COARSE]), tmp_path / "two.svg")
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_drawing_leaves_the_settings_of_the_user_and_loads_no_pyplot():
    program = (
        "import sys, matplotlib, numpy as np\n"
        # Asking for the backend would choose one, and load pyplot.
        "rc = matplotlib.rcParams\n"
        "def state(): return {key: rc[key] for key in rc if key != 'backend'}\n"
        "before = state()\n"
        "from spoofbench.pictures import det; from spoofbench.pictures.drawn import Drawn\n"
        "det.figure_of([Drawn(label='it', bonafide=np.arange(4.0), spoof=np.arange(4.0) - 2)])\n"
        "print(state() == before, 'matplotlib.pyplot' in sys.modules)\n"
    )
    assert run_python("-c", program).out.split() == ["True", "False"]


@pytest.mark.parametrize("name", ["picture.jpg", "picture", "picture.pngx"])
def test_another_ending_is_an_error_that_names_the_three(name: str, tmp_path: Path):
    with pytest.raises(InvalidSettings) as raised:
        style.save(det.figure_of([COARSE]), tmp_path / name)
    assert all(ending in raised.value.hint for ending in (".png", ".svg", ".pdf"))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_none_is_an_error(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        style.save(det.figure_of([COARSE]), tmp_path / "file" / "picture.png")


def test_without_trials_of_a_class_there_is_nothing_to_draw():
    with pytest.raises(InvalidScores, match="it: no spoof trials"):
        Drawn(label="it", bonafide=np.ones(3), spoof=np.array([]))


@pytest.mark.parametrize("width", [1.0, 2.0])
def test_wrapped_text_is_no_wider_than_was_asked_and_nothing_of_it_is_lost(width: float):
    text = "some words and one_that_is_much_longer_than_any_line_could_be_in_this_width"
    lines_of_it = style.wrapped(text, width)
    assert max(style.text_width(line) for line in lines_of_it) <= width
    assert "".join(lines_of_it).replace(" ", "") == text.replace(" ", "")


# the command

SCORES = (1.0, 2.0, 3.0, 0.05, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
"""In the order of `write_keys`: four bona fide, then four spoofs each of X01 and X02."""


@pytest.fixture
def protocol(tmp_path: Path) -> Path:
    return write_keys(tmp_path / "corpus", asv=True)


@pytest.fixture
def file(protocol: Path, tmp_path: Path) -> Path:
    keys = (protocol.parent / "keys.txt").read_text().splitlines()
    pairs = zip([line.split()[0] for line in keys], SCORES, strict=True)
    file = tmp_path / "mine.txt"
    file.write_text("".join(f"{utterance} {score}\n" for utterance, score in pairs))
    return file


@pytest.fixture
def plot(protocol: Path, file: Path, spoofbench_cli):
    """Plot the file, with further arguments."""
    of = ("--protocol", protocol, "--data", protocol.parent)
    return lambda kind, *more: spoofbench_cli("plot", kind, file, *of, *more)


@pytest.mark.parametrize(
    "arguments",
    [
        ["det"],
        ["det", "--by", "attack", "--llr", "--width", "3.5"],
        ["det", "--metric", "min-tdcf-2019,accuracy-at-eer"],
        ["histogram", "--log"],
        ["histogram", "--by", "attack"],
        ["reliability", "--prior", "0.9"],
    ],
    ids=" ".join,
)
def test_the_command_draws(plot, tmp_path: Path, arguments: list[str]):
    outcome = plot(*arguments, "-o", tmp_path / "x.svg")
    assert (outcome.code, outcome.out) == (0, "")
    assert (tmp_path / "x.svg").read_bytes().startswith(SIGNATURES["svg"])


def test_a_picture_is_replaced(plot, tmp_path: Path):
    (tmp_path / "x.png").write_text("old")
    assert plot("det", "-o", tmp_path / "x.png").code == 0
    assert (tmp_path / "x.png").read_bytes().startswith(SIGNATURES["png"])


def test_a_run_folder_is_drawn_as_its_scores_are(plot, protocol, file, spoofbench_cli, tmp_path):
    given = (file, "--protocol", protocol, "--data", protocol.parent)
    assert spoofbench_cli("score", *given, "--out", tmp_path / "runs").code == 0
    of = ("--protocol", protocol, "--data", protocol.parent)
    folder = tmp_path / "runs" / "keyed" / "mine"
    assert spoofbench_cli("plot", "det", folder, *of, "-o", tmp_path / "run.svg").code == 0
    plot("det", "-o", tmp_path / "file.svg")
    assert (tmp_path / "run.svg").read_bytes() == (tmp_path / "file.svg").read_bytes()


def turn(file: Path) -> None:
    file.write_text("".join(f"{n} {-float(s)}\n" for n, s in map(str.split, file.open())))


def test_a_flipped_file_is_refused_with_the_way_out(plot, file: Path, tmp_path: Path):
    turn(file)
    outcome = plot("det", "-o", tmp_path / "x.png")
    assert (outcome.code, (tmp_path / "x.png").exists()) == (2, False)
    assert "--negate" in outcome.err


def test_a_flipped_file_may_be_turned_round(plot, file: Path, tmp_path: Path):
    turn(file)
    assert plot("det", "--negate", "-o", tmp_path / "x.png").code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["det", "-o", "x.jpg"], ".png"),
        (["det", "-o", "x.png", "--metric", "eeer"], "did you mean 'eer'?"),
        (["det", "-o", "x.png", "--by", "codec"], "no column 'codec'"),
        (["reliability", "-o", "x.png", "--prior", "1"], "a prior lies between 0 and 1"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_ends_with_code_2_and_no_picture(plot, tmp_path, arguments, said: str):
    outcome = plot(*arguments)
    assert (outcome.code, "Traceback" in outcome.err) == (2, False)
    assert said in outcome.err
    assert list(tmp_path.glob("x.*")) == []


def test_groups_of_several_files_are_refused(plot, file: Path, tmp_path: Path):
    outcome = plot("det", file, "--by", "attack", "-o", tmp_path / "x.png")
    assert (outcome.code, "there are 2 files" in outcome.err) == (2, True)


WITHOUT_MATPLOTLIB = """
import sys
sys.modules["matplotlib"] = None
from spoofbench.cli import main
main()
"""


def test_without_matplotlib_the_command_says_how_to_get_it():
    arguments = ["plot", "det", "mine.txt", "--protocol", "toy", "-o", "x.png"]
    outcome = run_python("-c", WITHOUT_MATPLOTLIB, *arguments)
    assert (outcome.code, "Traceback" in outcome.err) == (2, False)
    assert "pip install 'spoofbench[plots]'" in outcome.err


@pytest.mark.parametrize("command", ["", "det ", "histogram ", "reliability "])
def test_help_loads_no_matplotlib(command: str):
    program = (
        "import sys; from spoofbench.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "print(sorted({'matplotlib', 'scipy', 'numpy'} & set(sys.modules)), file=sys.stderr)"
    )
    assert run_python("-c", program, "plot", *command.split(), "--help").err.strip() == "[]"


@pytest.mark.reference
def test_published_scores_are_drawn_with_their_published_numbers(reference: Path):
    lines_of_it = (reference / "scores" / "la-eval.rawgat-st-mul.txt").read_text().splitlines()
    rows = [line.split() for line in lines_of_it]
    scores = np.array([float(row[-1]) for row in rows])
    bonafide = np.array([row[-2] == "bonafide" for row in rows])
    system = Drawn(label="RawGAT-ST", bonafide=scores[bonafide], spoof=scores[~bonafide])
    said = texts(det.figure_of([system], llr=True))
    (entry,) = [text for text in said if text.startswith("RawGAT-ST")]
    numbers = [word.strip(",") for word in entry.split() if word[0].isdigit()]
    assert [float(number) for number in numbers] == [1.06, 0.0299, 0.0444]
