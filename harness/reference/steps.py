"""What the server is made of: named steps. A fault or a variant stands in for one of them, and no step knows of it.

A step is a function that its module holds under its name, and that other modules call through that module
(`errors.invalid`), so that what the module holds under the name is what is called.
"""

import functools
import sys
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

Step = TypeVar("Step", bound=Callable[..., Any])

STEPS: list[Callable[..., Any]] = []
"""Every step, as the clean server has it."""


def step(function: Step) -> Step:
    """Make the function a step."""
    STEPS.append(function)
    return function


def stand_in(chosen: Iterable[tuple[Callable[..., Any], Callable[..., Any]]]) -> None:
    """Let these functions stand in for their steps, and no others; one process is one server.

    Each takes what was there before it, then what the step takes; of two for one step the later is the outer one.
    """
    for function in STEPS:
        setattr(sys.modules[function.__module__], function.__name__, function)
    for function, instead in chosen:
        module = sys.modules[function.__module__]
        setattr(module, function.__name__, functools.partial(instead, getattr(module, function.__name__)))
