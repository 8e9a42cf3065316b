"""Counting pairs of groups once gives what walking along the order gives in every replicate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from release_gate.statistics import ranking
from release_gate.statistics.ranking import GroupedRocAuc, RocAuc, roc_auc


@given(seed=st.integers(0, 10_000), groups=st.integers(1, 6), digits=st.integers(0, 3))
def test_both_ways_agree_with_scikit_learn(seed: int, groups: int, digits: int) -> None:
    random = np.random.default_rng(seed)
    rows = groups * 30
    labels = (random.random(rows) < 0.4).astype(float)
    labels[:2] = (0.0, 1.0)
    scores = random.normal(size=rows).round(digits)  # few digits make many ties
    codes = random.integers(0, groups, rows)
    codes[:groups] = np.arange(groups)
    weights = random.integers(0, 4, (5, groups)).astype(float)
    counted = roc_auc(labels, scores, codes)
    assert isinstance(counted, GroupedRocAuc)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranking, "_ROWS_A_GROUP", rows + 1)
        walked = roc_auc(labels, scores, codes)
    assert isinstance(walked, RocAuc)
    np.testing.assert_allclose(counted(weights), walked(weights), rtol=1e-12)
    for row, found in zip(weights, counted(weights), strict=True):
        weighed = row[codes]
        if weighed[labels == 1].sum() == 0 or weighed[labels == 0].sum() == 0:
            assert np.isnan(found)
        else:
            assert found == pytest.approx(roc_auc_score(labels, scores, sample_weight=weighed), abs=1e-12)


def test_few_rows_a_group_are_walked() -> None:
    assert isinstance(roc_auc(np.array([0.0, 1.0]), np.array([0.1, 0.9]), np.array([0, 1])), RocAuc)
