"""Weaken one condition of the checks at a time, and see whether the tables of tests/judging notice.

`python -m benchmarks.mutants [MODULE …]` in the root of a checkout lists each change that no row notices, as module,
function and what was changed; MODULE is the name of a file of harness/judging/checks. What is left is a change of
wording, or of nothing that can be seen, or a row to write. Nothing is written and nothing is sent.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import importlib
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from rules_harness.harness.judging import checks, tally
from tests.judging import test_checks

FOLDER = Path(checks.__file__).parent
PACKAGE = checks.__name__
APART = ("__init__", "generic")
"""What the tables do not speak of."""
SHARED = ("common", "strictness")
"""What other modules of checks take names from: they are loaded anew."""
FURTHER = ("test_silence", "test_further_checks", "test_partial_updates")
"""Modules of tests beside the tables: of what is about no requirement of its own, or needs another contract."""
TRIALS = (
    test_checks.test_without_an_answer_nothing_is_judged,
    test_checks.test_another_writer_makes_void_what_rests_on_states,
)


def weakened(tree: ast.Module) -> Iterator[tuple[str, str, ast.Module]]:
    """Every way to weaken one condition: its function, the change in words, and the module with it."""
    around = dict(_functions(tree))
    for index, node in enumerate(ast.walk(tree)):
        for change, replacement in _changes(node):
            mutant = copy.deepcopy(tree)
            changed = list(ast.walk(mutant))[index]
            for field, value in ast.iter_fields(replacement):
                setattr(changed, field, copy.deepcopy(value))
            yield around.get(node, ""), change, ast.fix_missing_locations(mutant)


def _functions(node: ast.AST, name: str = "") -> Iterator[tuple[ast.AST, str]]:
    """Every node with the name of the function that it stands in, those of classes and functions around it before."""
    for inner in ast.iter_child_nodes(node):
        own = f"{name}.{inner.name}" if isinstance(inner, ast.FunctionDef | ast.ClassDef) else name
        yield inner, own
        yield from _functions(inner, own)


def _changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(node, ast.BoolOp):
        for index, value in enumerate(node.values):
            rest = [*node.values[:index], *node.values[index + 1 :]]
            yield f"without `{ast.unparse(value)}`", ast.BoolOp(node.op, rest)
    elif isinstance(node, ast.If | ast.IfExp):
        for answer in (True, False):
            changed = copy.copy(node)
            changed.test = ast.Constant(answer)
            yield f"`{ast.unparse(node.test)}` is {answer}", changed
    elif isinstance(node, ast.comprehension):
        for index, condition in enumerate(node.ifs):
            rest = [*node.ifs[:index], *node.ifs[index + 1 :]]
            yield f"without `if {ast.unparse(condition)}`", ast.comprehension(node.target, node.iter, rest, 0)
    elif isinstance(node, ast.keyword) and node.arg == "compares_states":
        yield f"without `{ast.unparse(node)}`", ast.keyword(node.arg, ast.Constant(False))


def is_noticed(name: str, mutant: ast.Module) -> bool:
    """Whether a row, or what is derived from one, comes out otherwise with this module in place of the real one."""
    module = importlib.import_module(f"{PACKAGE}.{name}")
    try:
        exec(compile(mutant, str(FOLDER / f"{name}.py"), "exec"), module.__dict__)
        modules = [module, *(_anew(SHARED) if name in SHARED else ())]
        own = {check.about[0]: check for one in modules for check in _checks(one) if len(check.about) == 1}
        test_checks.OWN.update(own)
        for about, row in test_checks.ROWS:
            if about in own:
                test_checks.test_row(about, row)
        for about in own:
            for trial in TRIALS:
                trial(about)
        _run_further()
    except Exception:  # noqa: BLE001 - whatever goes wrong, it is noticed
        return True
    finally:
        importlib.reload(module)
        if name in SHARED:
            _anew(SHARED)
    return False


def _run_further() -> None:
    """Run the further tests with the checks as they now are. Raises AssertionError where one fails."""
    tally.CHECKS = importlib.reload(checks).CHECKS  # type: ignore[attr-defined]  # where judging looks them up
    for name in FURTHER:
        sys.modules.pop(f"tests.judging.{name}", None)
    with contextlib.redirect_stdout(io.StringIO()):
        code = pytest.main(["-q", "-x", "-p", "no:cacheprovider", *(f"tests/judging/{name}.py" for name in FURTHER)])
    assert code == 0


def _anew(apart: tuple[str, ...]) -> list[ModuleType]:
    names = [path.stem for path in sorted(FOLDER.glob("*.py")) if path.stem not in ("__init__", *apart)]
    return [importlib.reload(importlib.import_module(f"{PACKAGE}.{name}")) for name in names]


def _checks(module: ModuleType) -> tuple[checks.Check, ...]:
    found: tuple[checks.Check, ...] = getattr(module, "CHECKS", ())
    return found


def main(names: list[str]) -> None:
    """Tell what survives in these modules, or in all of them."""
    made = survived = 0
    for path in sorted(FOLDER.glob("*.py")):
        if path.stem in APART or (names and path.stem not in names):
            continue
        for function, change, mutant in weakened(ast.parse(path.read_text(encoding="utf-8"))):
            made += 1
            if not is_noticed(path.stem, mutant):
                survived += 1
                print(f"{path.stem}{function}: {change}")
    print(f"{made} changes, {survived} not noticed")


if __name__ == "__main__":
    main(sys.argv[1:])
