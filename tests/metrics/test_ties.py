from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoofbench.metrics.ties import distinct, tied_share

scores = st.lists(st.integers(-5, 5), min_size=1, max_size=40)


def test_two_of_five_trials_share_a_score():
    assert tied_share(np.array([1.0, 2.0, 2.0, 3.0, 4.0])) == 2 / 5
    assert distinct(np.array([1.0, 2.0, 2.0, 3.0, 4.0])) == 4


@given(scores)
def test_the_share_is_what_counting_gives(values):
    counts = Counter(values)
    assert tied_share(np.array(values)) == sum(counts[v] > 1 for v in values) / len(values)
    assert distinct(np.array(values)) == len(counts)


def test_no_trials_have_no_share_of_ties():
    with pytest.raises(ValueError, match="at least one"):
        tied_share(np.array([]))
    assert distinct(np.array([])) == 0
