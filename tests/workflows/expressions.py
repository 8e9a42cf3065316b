"""Evaluates the conditions of our own jobs, as far as they use GitHub's expressions, so that a whole run can be walked.

Only what our workflows say is known; anything else is an error, so that a new function is noticed. Strings compare
with regard to case, which is stricter than GitHub.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

_TOKEN = re.compile(r"'(?:[^']|'')*'|&&|\|\||!=|==|!|>|[()\[\],]|\d+|[A-Za-z_][\w.-]*(?=\()|[A-Za-z_][\w.-]*|\s+")
_WORDS = {"&&": " and ", "||": " or ", "!": " not "}
_STATUS = re.compile(r"\b(success|failure|always|cancelled)\(\)")


def evaluate(expression: str, context: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]) -> Any:
    """The value of an expression, with or without `${{ }}`; what the context does not hold is empty text.

    >>> evaluate("${{ inputs.a || 'b' }}", {"inputs": {}}, {})
    'b'
    """
    text = expression.strip().removeprefix("${{").removesuffix("}}").strip()
    pieces, at = [], 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise ValueError(f"not understood: {text[at:]}")
        token, at = found[0], found.end()
        if token.startswith("'"):
            pieces.append(repr(token[1:-1].replace("''", "'")))
        elif re.match(r"[A-Za-z_]", token) and text[at : at + 1] != "(":
            pieces.append(token.capitalize() if token in ("true", "false") else f"_look({token!r})")
        else:
            pieces.append(_WORDS.get(token, token))

    def look(path: str) -> Any:
        value: Any = context
        for part in path.split("."):
            value = value.get(part, "") if isinstance(value, Mapping) else ""
        return value

    known = {"contains": _contains, "fromJSON": json.loads, "format": _format, **functions}
    return eval("".join(pieces), {"__builtins__": {}, "_look": look, **known})


def asks_for_status(expression: str) -> bool:
    """Whether a condition speaks of earlier jobs by itself: else GitHub puts `success() &&` before it."""
    return _STATUS.search(expression) is not None


def _contains(where: Any, what: Any) -> bool:
    return what in where


def _format(template: str, *values: Any) -> str:
    return template.format(*values)
