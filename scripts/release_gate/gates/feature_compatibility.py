"""Would a version that comes back still be fed the features it was made with? By the versions of their contract.

A version needs the feature contract that its package records. A contract of the same name keeps it as long as it is
not older and took no promise back since: semantic versions say so, and transform-tests holds every change to them.
"""

from __future__ import annotations

from release_gate.contracts.contract import Version
from release_gate.lifecycle.package import Contract


def broken(needed: Contract, here: Contract | None) -> str | None:
    """Why what is promised here is not enough for a version that needs a contract; None where it is.

    >>> def features(version, digit): return Contract(name="f.yml", version=version, identity=f"sha256:{digit * 64}")
    >>> broken(features("1.2.0", "a"), features("1.3.0", "b"))
    >>> broken(features("1.2.0", "a"), features("2.0.0", "b"))
    'here it is 2.0.0, which took back a promise of 1.2.0'
    """
    if here is None:
        return "here is no contract of that name"
    if here.identity == needed.identity:
        return None
    before, after = Version.parse(needed.version or ""), Version.parse(here.version or "")
    if before is None or after is None:
        return f"here it is another, and the versions ({needed.version} and {here.version}) don't say what changed"
    if after < before:
        return f"here it is {after}, older than {before}"
    if _line(after) != _line(before):
        return f"here it is {after}, which took back a promise of {before}"
    return None


def _line(version: Version) -> tuple[int, int]:
    """What two versions share that break nobody who relies on the older one (semver.org, items 4 and 8)."""
    return version.major, version.minor if version.major == 0 else 0
