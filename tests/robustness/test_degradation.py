from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoofbench.plugins import catalogue
from spoofbench.robustness.conditions import Condition, parse
from spoofbench.robustness.degradation import area, curves, doubling_level

LEVELS = (20.0, 10.0, 0.0)


def conditions(*texts: str) -> list[Condition]:
    return [parse(text, catalogue()) for text in texts]


def test_the_error_doubles_where_the_line_between_two_levels_crosses_twice_the_clean_error():
    errors = np.array([0.01, 0.015, 0.035])
    assert doubling_level(np.array(0.01), errors, LEVELS) == pytest.approx(10 - 10 * 5 / 20)


def test_the_error_doubles_at_a_level_where_it_is_twice_the_clean_error():
    assert doubling_level(np.array(0.01), np.array([0.01, 0.02, 0.5]), LEVELS) == 10


@pytest.mark.parametrize(
    ("clean", "errors"),
    [(0.1, [0.1, 0.11, 0.19]), (0.01, [0.03, 0.04, 0.05]), (0.0, [0.0, 0.1, 0.2])],
    ids=["never", "before the first level", "nothing to double"],
)
def test_where_an_error_does_not_double_within_the_levels_there_is_no_number(clean, errors):
    assert np.isnan(doubling_level(np.array(clean), np.array(errors), LEVELS))


def test_of_several_crossings_the_easiest_counts():
    errors = np.array([0.01, 0.03, 0.01, 0.03])
    assert doubling_level(np.array(0.01), errors, (15, 10, 5, 0)) == pytest.approx(12.5)


def test_doubling_levels_of_many_replicates_are_those_of_each():
    random = np.random.default_rng(5)
    clean, errors = random.uniform(0.01, 0.1, 40), random.uniform(0, 0.4, (40, 3))
    together = doubling_level(clean, errors, LEVELS)
    alone = [doubling_level(c, e, LEVELS) for c, e in zip(clean, errors, strict=True)]
    np.testing.assert_array_equal(together, alone)


def test_the_area_under_a_straight_line_is_its_middle():
    assert area(np.array([0.0, 0.1, 0.2]), LEVELS) == pytest.approx(0.1)


def test_levels_count_by_how_far_they_are_apart():
    # From 20 to 10 the mean is 0.1, from 10 to 5 it is 0.3: (10 * 0.1 + 5 * 0.3) / 15
    assert area(np.array([0.0, 0.2, 0.4]), (20, 10, 5)) == pytest.approx(2.5 / 15)


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3))
def test_an_area_lies_between_the_least_and_the_greatest_error(errors):
    value = float(area(np.array(errors), LEVELS))
    assert min(errors) - 1e-12 <= value <= max(errors) + 1e-12


def test_conditions_that_differ_in_their_level_alone_make_a_curve_from_easy_to_hard():
    (curve,) = curves(conditions("clean", "white@0", "gsm", "white@20", "white@10"))
    assert (curve.name, curve.levels, curve.places) == ("white", (20, 10, 0), (3, 4, 1))


def test_a_level_that_is_harder_when_higher_comes_last():
    (curve,) = curves(conditions("packet-loss@10", "packet-loss@1"))
    assert curve.levels == (1, 10)


def test_chains_and_single_levels_make_no_curve():
    assert (
        curves(conditions("clean", "white@10", "opus@16 + babble@10", "opus@16 + babble@5")) == []
    )


def test_conditions_of_one_class_make_a_curve_of_their_own():
    known = catalogue()
    spoofs = [parse(f"white@{level}", known, apply_to="spoof") for level in (10, 0)]
    made = curves([*conditions("white@10", "white@0"), *spoofs])
    assert [curve.name for curve in made] == ["white", "white [spoof only]"]


def test_both_sides_of_a_neutral_level_are_curves_of_their_own():
    """Slower and faster are hard alike: how far a speed is from 1 counts."""
    made = curves(conditions("speed@0.8", "speed@0.9", "speed@1.2", "speed@1.1"))
    assert [(curve.name, curve.levels) for curve in made] == [
        ("speed below 1", (0.9, 0.8)),
        ("speed", (1.1, 1.2)),
    ]


def test_a_gain_is_harder_the_softer_or_the_louder_it_is():
    made = curves(conditions("gain@-20", "gain@-10", "gain@20", "gain@10"))
    assert [(curve.name, curve.levels) for curve in made] == [
        ("gain", (-10, -20)),
        ("gain above 0", (10, 20)),
    ]


def test_a_source_that_looks_like_a_level_stays_as_it_is():
    (curve,) = curves(conditions("recordings(/n@10)@10", "recordings(/n@10)@5"))
    assert curve.name == "recordings(/n@10)"
