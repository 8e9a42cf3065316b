"""Compares the rules of a column by the values they allow, family by family: ranges, sets, patterns, lengths, steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from release_gate.contracts.comparison.tightness import tightness
from release_gate.contracts.contract import Kind, Rule, RuleKind

Difference = tuple[str, str]
_LOWER = (RuleKind.AT_LEAST, RuleKind.ABOVE)
_UPPER = (RuleKind.AT_MOST, RuleKind.BELOW)


def rule_changes(old: Sequence[Rule], new: Sequence[Rule], kind: Kind) -> list[Difference]:
    """The id and the words of each difference between the rules of a column of this type.

    A rule that only warns promises nothing; it is told where such rules differ.
    """
    found, old, new = _moved(old, new)
    if [one for one in old if one.warns and one not in new] or [one for one in new if one.warns and one not in old]:
        found.append(("warning-changed", f"what only warns: {_listed(old, warns=True)} → {_listed(new, warns=True)}"))
    before, after = ([one for one in rules if not one.warns] for rules in (old, new))
    found += _bound(before, after, _LOWER, "range", kind)
    found += _bound(before, after, _UPPER, "range", kind)
    found += _set(before, after, RuleKind.ONE_OF)
    found += _set(before, after, RuleKind.NONE_OF)
    for text in (RuleKind.PATTERN, RuleKind.STARTS_WITH, RuleKind.ENDS_WITH):
        found += _pattern(before, after, text)
    found += _bound(before, after, (RuleKind.SHORTEST,), "length", Kind.INTEGER)
    found += _bound(before, after, (RuleKind.LONGEST,), "length", Kind.INTEGER)
    found += _bound(before, after, (RuleKind.FEWEST_ITEMS,), "items", Kind.INTEGER)
    found += _bound(before, after, (RuleKind.MOST_ITEMS,), "items", Kind.INTEGER)
    found += _given(before, after, RuleKind.DISTINCT_ITEMS)
    found += _step(before, after)
    return found


def _moved(old: Sequence[Rule], new: Sequence[Rule]) -> tuple[list[Difference], list[Rule], list[Rule]]:
    """Rules that now only warn, or now block; and the rules that are left to be compared."""
    found: list[Difference] = []
    before, after = list(old), list(new)
    for rule in old:
        turned = Rule(rule.kind, rule.value, not rule.warns)
        if rule in new or turned not in after or turned in old:
            continue
        words = ("check-hardened", f"`{rule}` blocks now") if rule.warns else ("check-softened", f"`{rule}` only warns")
        found.append(words)
        before.remove(rule)
        after.remove(turned)
    return found, before, after


def _bound(
    old: Iterable[Rule], new: Iterable[Rule], kinds: Sequence[RuleKind], family: str, kind: Kind
) -> Iterator[Difference]:
    """One side of a range: of several bounds the strictest holds."""
    before, after = ([rule for rule in rules if rule.kind in kinds] for rules in (old, new))
    if _alike(before, after):
        return
    upper = kinds[0] in {RuleKind.AT_MOST, RuleKind.LONGEST, RuleKind.MOST_ITEMS}
    words = _arrow(before, after)
    if not before or not after:
        yield f"{family}-narrowed" if after else f"{family}-widened", words
        return
    try:
        was, now = (max(tightness(rule, kind, upper=upper) for rule in rules) for rules in (before, after))
        tighter, same = now > was, now == was
    except (TypeError, ValueError):
        yield f"{family}-changed", words
        return
    yield ("rule-rewritten", words) if same else (f"{family}-{'narrowed' if tighter else 'widened'}", words)


def _set(old: Iterable[Rule], new: Iterable[Rule], kind: RuleKind) -> Iterator[Difference]:
    """Valid values are those that every set holds; forbidden ones those that any does."""
    before, after = ([rule for rule in rules if rule.kind is kind] for rules in (old, new))
    if not before or not after:
        if before or after:
            yield "set-narrowed" if after else "set-widened", _arrow(before, after)
        return
    was, now = _members(before), _members(after)
    more, less = now.keys() - was.keys(), was.keys() - now.keys()
    if not more and not less:
        if before != after:
            yield "rule-rewritten", f"the same values in another order: {_arrow(before, after)}"
        return
    gained = more if kind is RuleKind.ONE_OF else less
    lost = less if kind is RuleKind.ONE_OF else more
    parts = [f"{word} {_values(part)}" for word, part in (("with", more), ("without", less)) if part]
    name = "set-changed" if gained and lost else "set-widened" if gained else "set-narrowed"
    yield name, f"`{kind}`: {', '.join(parts)}"


def _members(rules: Sequence[Rule]) -> dict[tuple[bool, object], None]:
    """The values by identity: in Python True equals 1, in data it does not."""
    sets = [
        {(isinstance(value, bool), value) for value in (rule.value if isinstance(rule.value, tuple) else (rule.value,))}
        for rule in rules
    ]
    joined = set.intersection(*sets) if rules[0].kind is RuleKind.ONE_OF else set.union(*sets)
    return dict.fromkeys(joined)


def _values(members: Iterable[tuple[bool, object]]) -> str:
    shown = sorted(str(value) for _, value in members)
    return ", ".join(shown[:20]) + (f" and {len(shown) - 20} more" if len(shown) > 20 else "")


def _pattern(old: Iterable[Rule], new: Iterable[Rule], kind: RuleKind) -> Iterator[Difference]:
    """Patterns are the same where their texts are; a longer beginning or ending is tighter."""
    before, after = ([rule for rule in rules if rule.kind is kind] for rules in (old, new))
    gone, come = ([one for one in some if one not in others] for some, others in ((before, after), (after, before)))
    if not gone and not come:
        return
    words = _arrow(gone, come)
    if not gone or not come:
        yield "pattern-narrowed" if come else "pattern-widened", words
        return
    was, now = str(gone[0].value), str(come[0].value)
    single = len(gone) == len(come) == 1 and kind is not RuleKind.PATTERN
    holds = str.startswith if kind is RuleKind.STARTS_WITH else str.endswith
    tighter, looser = single and holds(now, was), single and holds(was, now)
    yield f"pattern-{'narrowed' if tighter else 'widened' if looser else 'changed'}", words


def _given(old: Iterable[Rule], new: Iterable[Rule], kind: RuleKind) -> Iterator[Difference]:
    """A rule without a value, which is there or not."""
    before, after = ([rule for rule in rules if rule.kind is kind] for rules in (old, new))
    if bool(before) != bool(after):
        yield "items-narrowed" if after else "items-widened", _arrow(before, after)


def _step(old: Iterable[Rule], new: Iterable[Rule]) -> Iterator[Difference]:
    before, after = ([rule for rule in rules if rule.kind is RuleKind.MULTIPLE_OF] for rules in (old, new))
    gone, come = ([one for one in some if one not in others] for some, others in ((before, after), (after, before)))
    if not gone and not come:
        return
    words = _arrow(gone, come)
    if not gone or not come:
        yield "step-narrowed" if come else "step-widened", words
        return
    single = len(gone) == len(come) == 1
    tighter, looser = single and _multiple(come[0], gone[0]), single and _multiple(gone[0], come[0])
    same = tighter and looser
    yield ("rule-rewritten" if same else f"step-{'narrowed' if tighter else 'widened' if looser else 'changed'}"), words


def _multiple(one: Rule, other: Rule) -> bool:
    """Whether a step is a multiple of another, in the digits in which they are written."""
    parts = (Decimal(str(one.value)), Decimal(str(other.value)))
    return bool(parts[1]) and (parts[0] / parts[1]) == (parts[0] / parts[1]).to_integral_value()


def _alike(old: Sequence[Rule], new: Sequence[Rule]) -> bool:
    """The same rules, in whatever order and however often."""
    return all(one in new for one in old) and all(one in old for one in new)


def _arrow(old: Sequence[Rule], new: Sequence[Rule]) -> str:
    if not old or not new:
        return f"now {_listed(new)}" if new else f"no longer {_listed(old)}"
    return f"{_listed(old)} → {_listed(new)}"


def _listed(rules: Sequence[Rule], *, warns: bool = False) -> str:
    return ", ".join(f"`{rule}`" for rule in rules if rule.warns is warns) or "nothing"
