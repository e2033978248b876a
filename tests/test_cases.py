"""Every fault case of the lists that payments and media were designed by is held by a test that names it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
# Payments' last one, 79, is no test: it takes the others' guards away, by hand, and looks which of them turn red.
CASES = {"payment_case": set(range(1, 79)), "media_case": set(range(1, 45))}


@pytest.mark.parametrize("mark", CASES)
def test_every_case_has_a_test(mark: str) -> None:
    assert set(_named(mark)) == CASES[mark]


def _named(mark: str) -> Iterator[int]:
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == mark:
                yield from (argument.value for argument in node.args if isinstance(argument, ast.Constant))
