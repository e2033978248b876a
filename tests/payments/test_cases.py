"""Every fault case of the payments' list is held by a test that names it."""

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parent.parent
# The last one, 79, is no test: it takes the others' guards away, by hand, and looks which of them turn red.
CASES = set(range(1, 79))


def test_every_case_has_a_test() -> None:
    assert set(_named()) == CASES


def _named() -> Iterator[int]:
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "payment_case":
                yield from (argument.value for argument in node.args if isinstance(argument, ast.Constant))
