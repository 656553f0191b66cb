"""The number of thresholds of a curve is bounded: a config must not take all memory."""

import pytest

from pronghorn import metrics


@pytest.mark.parametrize("number", [2**20 + 1, 10**9, 2**62])
def test_too_many_thresholds(number) -> None:
    makes = [
        lambda n: metrics.AUC(num_thresholds=n),
        lambda n: metrics.SensitivityAtSpecificity(0.5, num_thresholds=n),
        lambda n: metrics.SpecificityAtSensitivity(0.5, num_thresholds=n),
        lambda n: metrics.PrecisionAtRecall(0.5, num_thresholds=n),
        lambda n: metrics.RecallAtPrecision(0.5, num_thresholds=n),
    ]
    for make in makes:
        with pytest.raises(ValueError, match="`num_thresholds` must be at most"):
            make(number)
