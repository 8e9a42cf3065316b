"""Which places of a file are changed, and how."""

from __future__ import annotations

import ast

import pytest

from release_gate.caller.inside import mutants


def changed(source: str) -> list[tuple[str, str]]:
    number = len(mutants.changes(ast.parse(source)))
    made = [mutants.mutated(source, one) for one in range(number)]
    for tree, _, _ in made:
        compile(tree, "f.py", "exec")
    return [(before, after) for _, before, after in made]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("y = a < b <= c", [("a < b <= c", "a <= b <= c"), ("a < b <= c", "a < b < c")]),
        ("y = a * b", [("a * b", "a / b")]),
        ("y = a and b", [("a and b", "a or b")]),
        ("y = not a", [("not a", "not not a")]),
        ("y += x", [("y += x", "y -= x")]),
        ("y = x is None", [("x is None", "x is not None")]),
        ("y = 3", [("3", "4")]),
        ("y = 0.0", [("0.0", "1.0")]),
        ("y = -2.5", [("-2.5", "+2.5"), ("-2.5", "-5.0")]),
        ("y = True", [("True", "False")]),
        ("y = ['EWR']", [("'EWR'", "'EWRx'")]),
        ("def f(x=1):\n    return x", [("1", "2")]),
        ("assert x == 1, 'words'", [("x == 1", "x != 1"), ("x == 1", "x == 2")]),
    ],
)
def test_operators_comparisons_and_constants_are_changed(source: str, expected: list[tuple[str, str]]) -> None:
    assert changed(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        '"""Words."""',
        'def f() -> "int":\n    """Words."""',
        "def f(x: Literal[3] | None): ...",
        "x: Literal[3]",
        "__all__ = ['f']",
        "raise ValueError('words', 3)",
        "print('words', 3)",
        "log.warning('took %d', 3)",
        "y = f'{x} of 3'",
        "y = 'a' + b",
        "y = frame['temp']",
        "y = x.astype('float64')",
        "@cache(maxsize=3)\ndef f(): ...",
        "if TYPE_CHECKING:\n    x = 3",
        "if __name__ == '__main__':\n    x = 3",
        "T = TypeVar('T', bound=3)",
        "y = None",
        "y = ...",
    ],
)
def test_what_no_test_could_or_should_notice_is_left_alone(source: str) -> None:
    assert changed(source) == []


def test_a_change_knows_its_function_and_the_lines_that_run_it() -> None:
    source = "class A:\n    def f(self):\n        if self.x:\n            return (1 +\n                self.y)\n"
    found = [(one.function, one.lines) for one in mutants.changes(ast.parse(source))]
    assert found == [("A.f", (4, 5)), ("A.f", (4, 5))]
