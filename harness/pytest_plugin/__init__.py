"""The pytest plugin: one test item for each requirement, and fixtures for a team's own tests.

Nothing happens, and nothing else is imported, until ``--rules-target FILE`` is given or a fixture is used: pytest loads
this module in every project of the environment.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from rules_harness.harness.pytest_plugin.judging import Drawn, RulesTarget
    from rules_harness.harness.pytest_plugin.verdicts import Verdicts
    from rules_harness.harness.target.cleaning import Cleaner
    from rules_harness.openapi.contract import Contract

TARGET = pytest.StashKey[Path]()
CONTRACT: pytest.StashKey[Contract] = pytest.StashKey()
VERDICTS: pytest.StashKey[Verdicts] = pytest.StashKey()
_CLEANERS: pytest.StashKey[list[Cleaner]] = pytest.StashKey()
_SHARED = pytest.StashKey[Path]()
_SHARED_INPUT = "rules_harness_shared"
_NO_TARGET = "needs a target: pytest --rules-target FILE"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the plugin."""
    group = parser.getgroup("rules-harness", "contract tests for PUT /rules/{id}")
    group.addoption(
        "--rules-target",
        metavar="FILE",
        help="Collect one test for each requirement of the contract, and judge the target of this profile.",
    )
    group.addoption("--rules-contract", metavar="FILE", help="Another contract than the packaged one.")
    group.addoption(
        "--rules-overlay",
        metavar="FILE",
        action="append",
        default=[],
        help="An OpenAPI Overlay (1.0), applied to the contract; several in their order.",
    )
    group.addoption(
        "--rules-out",
        metavar="DIR",
        help="Where the journal of the run goes; by default the cache of pytest.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Have the profile collected along with the folders to test; whoever names single files means these alone."""
    given = config.getoption("rules_target")
    if given is None:
        return
    path = (config.invocation_params.dir / given).resolve()
    if not path.is_file():
        raise pytest.UsageError(f"--rules-target {given}: there is no such file; `rules-harness init` writes a profile")
    config.stash[TARGET] = path
    named = [config.invocation_params.dir / argument.partition("::")[0] for argument in config.args]
    if not all(path.is_file() for path in named):
        config.args.append(str(path))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give the workers of pytest-xdist a folder in common, where the one that runs the gate leaves its verdicts."""
    config: pytest.Config = node.config
    if TARGET in config.stash:
        if _SHARED not in config.stash:
            config.stash[_SHARED] = Path(tempfile.mkdtemp(prefix="rules-harness-"))
        node.workerinput[_SHARED_INPUT] = str(config.stash[_SHARED])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the folder of the workers."""
    if _SHARED in config.stash:
        shutil.rmtree(config.stash[_SHARED], ignore_errors=True)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect the profile: its tests are the requirements."""
    target = parent.config.stash.get(TARGET, None)
    if target is None or file_path.resolve() != target:
        return None
    from rules_harness.harness.pytest_plugin.items import ProfileFile  # noqa: PLC0415 - only where it was asked for

    return ProfileFile.from_parent(parent, path=file_path)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep the keys of the profile out of what is shown of a test: assertions, locals, what was printed and logged."""
    report = yield
    for cleaner in item.config.stash.get(_CLEANERS, []):
        shown = "" if report.longrepr is None else str(report.longrepr)
        cleaned = cleaner.clean_text(shown)
        if cleaned != shown:
            report.longrepr = cleaned
        report.sections = [(name, cleaner.clean_text(content)) for name, content in report.sections]
    return report


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say where the record of the run lies."""
    verdicts = config.stash.get(VERDICTS, None)
    if verdicts is None and _SHARED in config.stash:
        from rules_harness.harness.pytest_plugin.verdicts import left_by_worker  # noqa: PLC0415 - only where it was asked for

        verdicts = left_by_worker(config.stash[_SHARED])
    if verdicts is not None and verdicts.run:
        terminalreporter.write_sep("-", "rules-harness")
        terminalreporter.write_line(f"journal: {verdicts.run}")
        terminalreporter.write_line(f"further reports: rules-harness report {verdicts.run} --format html")


def shared_folder(config: pytest.Config) -> Path | None:
    """The folder that this worker of pytest-xdist has in common with the others; `None` outside one."""
    given = getattr(config, "workerinput", {}).get(_SHARED_INPUT)
    return None if given is None else Path(given)


@pytest.fixture(scope="session")
def rules_target(request: pytest.FixtureRequest) -> RulesTarget:
    """The target of ``--rules-target``: base URL, contract, profile, world; without the option the test is skipped."""
    path = request.config.stash.get(TARGET, None)
    if path is None:
        pytest.skip(_NO_TARGET)
    return _target(path, request.config)


@pytest.fixture(scope="session")
def assert_fixed(request: pytest.FixtureRequest) -> Callable[[Path], None]:
    """A function that sends the finding in a file again and fails while it is there, or where nothing can be judged.

    Without ``--rules-target`` that is an error: a test of a finding is not skipped unnoticed.
    """
    path = request.config.stash.get(TARGET, None)
    if path is None:
        pytest.fail(_NO_TARGET, pytrace=False)
    from rules_harness.harness.pytest_plugin.fixed import AssertFixed  # noqa: PLC0415 - only where it was asked for
    from rules_harness.harness.pytest_plugin.sessions import journal_folder, turn  # noqa: PLC0415 - likewise

    return AssertFixed(_target(path, request.config), journal_folder(request.config), partial(turn, request.config))


def contract_of(config: pytest.Config) -> Contract:
    """The contract of ``--rules-contract`` and ``--rules-overlay``, else the packaged one. Raises `ContractError`."""
    from rules_harness.openapi.contract import load  # noqa: PLC0415 - only where it was asked for

    if CONTRACT not in config.stash:
        folder, given = config.invocation_params.dir, config.getoption("rules_contract")
        overlays = [folder / overlay for overlay in config.getoption("rules_overlay")]
        config.stash[CONTRACT] = load(None if given is None else folder / given, overlays)
    return config.stash[CONTRACT]


def has_own_contract(config: pytest.Config) -> bool:
    """Whether another contract than the packaged one was given."""
    return bool(config.getoption("rules_contract") or config.getoption("rules_overlay"))


def _target(path: Path, config: pytest.Config) -> RulesTarget:
    from rules_harness.harness.errors import HarnessError  # noqa: PLC0415 - only where it was asked for
    from rules_harness.harness.pytest_plugin.judging import target_of  # noqa: PLC0415 - likewise
    from rules_harness.openapi.errors import ContractError  # noqa: PLC0415 - likewise

    try:
        target = target_of(path, contract_of(config))
    except (HarnessError, ContractError) as error:
        pytest.fail(str(error), pytrace=False)
    from rules_harness.harness.target.cleaning import Cleaner  # noqa: PLC0415 - only where it was asked for

    config.stash.setdefault(_CLEANERS, []).append(Cleaner(target.keyring))
    return target


@pytest.fixture(scope="session")
def rule_bodies(rules_target: RulesTarget) -> SearchStrategy[Drawn]:
    """A Hypothesis strategy for bodies that a back end can be expected to accept, all of them disabled."""
    from rules_harness.harness.pytest_plugin.judging import plausible  # noqa: PLC0415 - only where it was asked for

    return plausible(rules_target)


@pytest.fixture(scope="session")
def broken_bodies(rules_target: RulesTarget) -> SearchStrategy[Drawn]:
    """A Hypothesis strategy for bodies that violate the contract in one place."""
    from rules_harness.harness.pytest_plugin.judging import broken  # noqa: PLC0415 - only where it was asked for

    return broken(rules_target)


@pytest.fixture(scope="session")
def judge(rules_target: RulesTarget) -> Callable[..., None]:
    """A function that judges what came of sending a drawn body; see `harness.pytest_plugin.judging.Judge`."""
    from rules_harness.harness.pytest_plugin.judging import Judge  # noqa: PLC0415 - only where it was asked for

    return Judge(rules_target)
