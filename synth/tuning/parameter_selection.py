"""Selection of the parameters to tune, by names and patterns."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hl_dsl.base.errors import HLError
from hl_dsl.compiler.ir.dataflow import Parameter


def chosen_parameters(parameters: Sequence[Parameter], names: Sequence[str] | None, policy: str) -> list[Parameter]:
    """The parameters to tune: those that a name selects and whose range has more than one value.

    Args:
        parameters: All parameters of the policy.
        names: Names of params (`gain`; a vector's selects all components), of components (`target[3]`), or patterns of
            either with `*` for any letters and `?` for one (`swing_*`). None selects all.
        policy: Name of the policy, for messages.

    Raises:
        HLError: The policy has no parameters, a name selects none, or all ranges have a single value.
    """
    if not parameters:
        raise HLError(f"{policy} has no parameters to tune", "declare one: `param gain: real = 1 in [0, 10]`")
    for name in names or ():
        if not any(_selects(name, parameter) for parameter in parameters):
            raise _unknown(name, parameters, policy)
    selected = [
        parameter for parameter in parameters if names is None or any(_selects(name, parameter) for name in names)
    ]
    tunable = [parameter for parameter in selected if parameter.low < parameter.high]
    if not tunable:
        raise HLError(f"the parameters of {policy} cannot move: their ranges are single points", "widen a range")
    return tunable


def _unknown(name: str, parameters: Sequence[Parameter], policy: str) -> HLError:
    """The error for a name that selects nothing."""
    problem = f"{policy} has no parameter `{name}`"
    component = re.fullmatch(r"(.+)\[\d+\]", name)
    if component is not None:
        vector = component[1]
        count = sum(_param(parameter) == vector != parameter.name for parameter in parameters)
        if count:
            return HLError(problem, f"`{vector}` has components 0 to {count - 1}")
    known = sorted({_param(parameter) for parameter in parameters})
    return HLError(problem, f"its parameters: {', '.join(known)}; `*` matches any letters")


def _param(parameter: Parameter) -> str:
    """The name of the param that a parameter is, or is a component of."""
    return parameter.name.partition("[")[0]


def _selects(name: str, parameter: Parameter) -> bool:
    pattern = "".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in name)
    return any(re.fullmatch(pattern, known) for known in (parameter.name, _param(parameter)))
