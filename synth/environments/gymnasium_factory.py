"""Making users' own environments, by their ids.

An id with a colon names one: `gymnasium:ID` is made by Gymnasium's registry, `module:callable` by calling a function or
a class. What the user's code raises becomes an HLError that names it; what it prints goes to stderr, since stdout may be
a document.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from hl_dsl.base.errors import HLError

REGISTRY = "gymnasium"
_MOST_IDLE = 64

_idle: dict[tuple[str, int | None], list[Any]] = {}


def is_users_own(environment: str) -> bool:
    """Whether the id names an environment that EnvPool does not have."""
    return ":" in environment


def make(environment: str, folders: tuple[Path, ...], max_steps: int | None, render: bool) -> Any:
    """An environment that nothing else uses. Raises HLError."""
    kept = _idle.get(_sort(environment, max_steps))
    if kept and not render:
        return kept.pop()
    module, _, name = environment.partition(":")
    more = {"render_mode": "rgb_array"} if render else {}
    with redirect_stdout(sys.stderr):
        if module == REGISTRY:
            return _registered(name, max_steps, more)
        maker = _callable(environment, module, name, folders)
        return guarded(f"`{environment}`", lambda: _called(environment, maker, more))


def _called(environment: str, maker: Callable[..., Any], more: dict) -> Any:
    try:
        return maker(**more)
    except TypeError as error:
        if error.__traceback__ is None or error.__traceback__.tb_next is not None:
            raise
        # It was not even entered, so no line of the user's code raised.
        hint = "it is called without arguments" + (", but for render_mode where it is to be drawn" if more else "")
        raise HLError(
            f"`{environment}` raised {_told(error)}", f"{hint}: give them defaults{_defined(maker)}"
        ) from error


def _defined(maker: Callable[..., Any]) -> str:
    import inspect

    try:
        return f"; it is defined at {inspect.getsourcefile(maker)}, line {inspect.getsourcelines(maker)[1]}"
    except (TypeError, OSError):
        return ""


def _sort(environment: str, max_steps: int | None) -> tuple[str, int | None]:
    """Which environments serve in place of each other: Gymnasium's registry builds its own limit of steps into one."""
    return environment, max_steps if environment.startswith(REGISTRY + ":") else None


def keep(environment: str, max_steps: int | None, made: Any) -> None:
    """Puts an environment by, to serve again: a reset with a seed begins anew."""
    kept = _idle.setdefault(_sort(environment, max_steps), [])
    if len(kept) < _MOST_IDLE:
        kept.append(made)


def _registered(name: str, max_steps: int | None, more: dict) -> Any:
    import gymnasium

    limit = {} if max_steps is None else {"max_episode_steps": max_steps}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return gymnasium.make(name, disable_env_checker=True, **limit, **more)
    except gymnasium.error.UnregisteredEnv as error:
        from difflib import get_close_matches

        near = get_close_matches(name, gymnasium.registry, n=3, cutoff=0.6)
        hint = (
            f"did you mean {' or '.join(f'{REGISTRY}:{one}' for one in near)}?"
            if near
            else "its ids look like gymnasium:CartPole-v1"
        )
        raise HLError(f"Gymnasium has no environment `{name}`", hint) from error
    except (Exception, SystemExit) as error:
        hint = "install what it needs, or write the environment as `module:callable`"
        raise HLError(f"Gymnasium cannot make `{name}`: {_told(error)}", hint) from error


def _callable(environment: str, module: str, name: str, folders: tuple[Path, ...]) -> Callable[..., Any]:
    for folder in (Path.cwd(), *(one.resolve() for one in folders)):
        if str(folder) not in sys.path:
            sys.path.append(str(folder))  # for good: the module may import its neighbours when it is called
    try:
        loaded = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and (module == error.name or module.startswith(error.name + ".")):
            raise HLError(
                f"there is no module `{module}` for the environment `{environment}`",
                "put it into the working folder, beside the policy or on PYTHONPATH; an environment of Gymnasium's registry is written gymnasium:ID",
            ) from error
        raise HLError(
            f"the module `{module}` of `{environment}` does not import: {_told(error)}", _where(error)
        ) from error
    except (Exception, SystemExit) as error:
        raise HLError(
            f"the module `{module}` of `{environment}` does not import: {_told(error)}", _where(error)
        ) from error
    maker: Any = loaded
    for part in name.split("."):
        maker = getattr(maker, part, None)
    if not callable(maker):
        own = [
            key
            for key, one in vars(loaded).items()
            if callable(one) and getattr(one, "__module__", "") == module and key[0] != "_"
        ]
        hint = f"it has {', '.join(own)}" if own else f"define `{name}` in {loaded.__file__}"
        raise HLError(f"the module `{module}` has no callable `{name}`", hint)
    return maker


def guarded(what: str, ask: Callable[[], Any]) -> Any:
    """What `ask` gives; what it raises becomes an HLError that says where."""
    try:
        return ask()
    except HLError:
        raise
    except (Exception, SystemExit) as error:
        raise HLError(f"{what} raised {_told(error)}", _where(error)) from error


def _told(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def _where(error: BaseException) -> str:
    """The line of the user's code that raised."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"at {trace.tb_frame.f_code.co_filename}, line {trace.tb_lineno}"
