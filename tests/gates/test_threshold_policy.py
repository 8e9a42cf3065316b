"""A list of thresholds is read with places, and its identity follows its meaning, not its layout."""

import pytest

from release_gate.config import Risk
from release_gate.documents import parse
from release_gate.findings import BadInput
from release_gate.gates.threshold_policy import Policy, identity, thresholds_of
from release_gate.thresholds import Threshold

LIST = b"- {metric: roc_auc, at_least: 0.7}\n- {metric: f1, at_least: 0.5, slices: [day], role: guard}\n"


def test_a_list_is_read_and_slices_make_guards_of_bars_without_any() -> None:
    policy = thresholds_of(parse(LIST, "t.yml"))
    assert [one.metric for one in policy.thresholds] == ["roc_auc", "f1"]
    more = thresholds_of(parse(LIST, "t.yml"), ["origin", "carrier"]).thresholds
    assert more[:2] == policy.thresholds
    assert [(one.metric, one.slices, one.role) for one in more[2:]] == [("roc_auc", ("origin", "carrier"), "guard")]


def test_every_mistake_is_told_with_its_place() -> None:
    text = b"- {metric: roc_auk, at_least: 0.7}\n- metric: f1\n  at_leest: 0.5\n- 7\n- {metric: f1}\n"
    with pytest.raises(BadInput) as refused:
        thresholds_of(parse(text, "t.yml"))
    told = [(one.code, str(one.where)) for one in refused.value.findings]
    assert ("config-invalid", "t.yml:1:4") in told
    assert ("config-unknown-key", "t.yml:3:3") in told
    assert ("config-invalid", "t.yml:4:3") in told
    assert ("config-invalid", "t.yml:5:3") in told
    assert any("did you mean 'at_least'?" in one.message for one in refused.value.findings)


@pytest.mark.parametrize("text", [b"", b"[]", b"metric: roc_auc\n"])
def test_anything_but_a_list_is_refused(text: bytes) -> None:
    with pytest.raises(BadInput, match="must hold a list of thresholds"):
        thresholds_of(parse(text, "t.yml"))


def test_the_identity_follows_bars_and_risk_only() -> None:
    bars = thresholds_of(parse(LIST, "t.yml")).thresholds
    first = identity(Policy("a.yml", bars))
    assert first.startswith("sha256:")
    assert identity(Policy("b.yml", bars, base=True)) == first
    assert identity(Policy("a.yml", bars, Risk(wrong_pass=0.1))) != first
    assert identity(Policy("a.yml", (Threshold(metric="roc_auc", at_least=0.71), bars[1]))) != first
