import pytest

from batch_scores.fuel_predict import miles_per_gallon

TERMS = [{"column": "weight", "log": False, "null": 100.0, "slope": 0.5}]


def test_terms_add_up():
    assert miles_per_gallon({"target": "linear", "intercept": 1.0, "terms": TERMS}, {"weight": 20}) == 11.0


def test_logarithms_are_undone():
    terms = [{"column": "weight", "log": True, "null": 1.0, "slope": -1.0}]
    assert miles_per_gallon(
        {"target": "log", "intercept": 0.0, "terms": terms}, {"weight": 4}
    ) == pytest.approx(0.25)


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_a_null_takes_what_stands_in(missing):
    assert (
        miles_per_gallon({"target": "linear", "intercept": 1.0, "terms": TERMS}, {"weight": missing}) == 51.0
    )
