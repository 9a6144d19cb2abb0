"""Construction of users' own environments from their ids.

`gymnasium:ID` is made by Gymnasium's registry, `module:callable` by calling a function or a class. An exception of the
user's code becomes an HLError that names its line. What the code prints goes to stderr: stdout may be a document.
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
from hl_dsl.synth.environments.backends.idle_simulators import IdleSimulators

REGISTRY = "gymnasium"
_MAX_IDLE = 64  # environments of one kind


class GymnasiumFactory:
    """Makes environments of one id, and keeps those that are not used.

    Args:
        environment: The id.
        folders: Folders where its module is looked for, after Python's own path.
        idle: Store for environments that can serve again: a `reset` with a seed starts anew.
    """

    def __init__(self, environment: str, folders: tuple[Path, ...], idle: IdleSimulators):
        self.environment = environment
        self._folders = folders
        self._idle = idle

    def make(self, max_steps: int | None, render: bool) -> Any:
        """Returns an environment that nothing else uses. Raises HLError."""
        idle = self._idle.of(self._kind(max_steps))
        if idle and not render:
            return idle.pop()
        module, _, name = self.environment.partition(":")
        options = {"render_mode": "rgb_array"} if render else {}
        with redirect_stdout(sys.stderr):
            if module == REGISTRY:
                return _make_registered(name, max_steps, options)
            maker = _find_callable(self.environment, module, name, self._folders)
            return guarded(f"`{self.environment}`", lambda: _call(self.environment, maker, options))

    def keep(self, max_steps: int | None, environment: Any) -> None:
        """Keeps an environment of `make` for another call of it."""
        idle = self._idle.of(self._kind(max_steps))
        if len(idle) < _MAX_IDLE:
            idle.append(environment)

    def _kind(self, max_steps: int | None) -> tuple[str, int | None]:
        """Environments of one kind can replace each other. Gymnasium's registry builds its own step limit into one."""
        return self.environment, max_steps if self.environment.startswith(REGISTRY + ":") else None


def guarded(what: str, function: Callable[[], Any]) -> Any:
    """Returns `function()`. An exception becomes an HLError about `what` that names its line."""
    try:
        return function()
    except HLError:
        raise
    except (Exception, SystemExit) as error:
        raise HLError(f"{what} raised {_error_text(error)}", _line_of(error)) from error


def _call(environment: str, maker: Callable[..., Any], options: dict[str, Any]) -> Any:
    try:
        return maker(**options)
    except TypeError as error:
        if error.__traceback__ is None or error.__traceback__.tb_next is not None:
            raise
        # It was not even entered, so no line of the user's code raised.
        hint = "it is called without arguments" + (", except render_mode where it is to be drawn" if options else "")
        raise HLError(
            f"`{environment}` raised {_error_text(error)}", f"{hint}: give them defaults{_definition_of(maker)}"
        ) from error


def _definition_of(maker: Callable[..., Any]) -> str:
    import inspect

    try:
        return f"; it is defined at {inspect.getsourcefile(maker)}, line {inspect.getsourcelines(maker)[1]}"
    except (TypeError, OSError):
        return ""


def _make_registered(name: str, max_steps: int | None, options: dict[str, Any]) -> Any:
    import gymnasium

    limit = {} if max_steps is None else {"max_episode_steps": max_steps}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return gymnasium.make(name, disable_env_checker=True, **limit, **options)
    except gymnasium.error.UnregisteredEnv as error:
        from difflib import get_close_matches

        near = get_close_matches(name, gymnasium.registry, n=3, cutoff=0.6)
        hint = (
            f"did you mean {' or '.join(f'{REGISTRY}:{known}' for known in near)}?"
            if near
            else "its ids look like gymnasium:CartPole-v1"
        )
        raise HLError(f"Gymnasium has no environment `{name}`", hint) from error
    except (Exception, SystemExit) as error:
        hint = "install what it needs, or write the environment as `module:callable`"
        raise HLError(f"Gymnasium cannot make `{name}`: {_error_text(error)}", hint) from error


def _find_callable(environment: str, module: str, name: str, folders: tuple[Path, ...]) -> Callable[..., Any]:
    for folder in (Path.cwd(), *(folder.resolve() for folder in folders)):
        if str(folder) not in sys.path:
            sys.path.append(str(folder))  # permanently: the module may import its neighbours when it is called
    try:
        loaded = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and (module == error.name or module.startswith(error.name + ".")):
            raise HLError(
                f"the module `{module}` of the environment `{environment}` was not found",
                "put it into the working folder, next to the policy or on PYTHONPATH; "
                "an environment of Gymnasium's registry is written gymnasium:ID",
            ) from error
        raise _import_error(environment, module, error) from error
    except (Exception, SystemExit) as error:
        raise _import_error(environment, module, error) from error
    maker: Any = loaded
    for part in name.split("."):
        maker = getattr(maker, part, None)
    if not callable(maker):
        own = [
            key
            for key, value in vars(loaded).items()
            if callable(value) and getattr(value, "__module__", "") == module and key[0] != "_"
        ]
        hint = f"it has {', '.join(own)}" if own else f"define `{name}` in {loaded.__file__}"
        raise HLError(f"the module `{module}` has no callable `{name}`", hint)
    return maker


def _import_error(environment: str, module: str, error: BaseException) -> HLError:
    return HLError(f"the module `{module}` of `{environment}` does not import: {_error_text(error)}", _line_of(error))


def _error_text(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def _line_of(error: BaseException) -> str:
    """The line of the user's code that raised."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"at {trace.tb_frame.f_code.co_filename}, line {trace.tb_lineno}"
