"""Which parameters are moved: all, or those that are named, by patterns if need be."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hl_dsl.compiler.ir.dataflow import Parameter

from hl_dsl.base.errors import HLError


def chosen_parameters(parameters: Sequence[Parameter], names: Sequence[str] | None, policy: str) -> list[Parameter]:
    """Those that `names` name and whose ranges leave room to move. A name is a param's (`gain`, a vector's with all its
    components), a component's (`target[3]`), or a pattern of either, `*` for any letters and `?` for one (`swing_*`).

    Raises HLError where there are none, or a name stands for nothing.
    """
    if not parameters:
        raise HLError(f"{policy} has no parameters to tune", "declare one: `param gain: real = 1 in [0, 10]`")
    for name in names or ():
        if not any(_means(name, one) for one in parameters):
            component = re.fullmatch(r"(.+)\[\d+\]", name)
            count = sum(_whole(one) == component[1] != one.name for one in parameters) if component else 0
            if count:
                raise HLError(
                    f"{policy} has no parameter `{name}`", f"`{component[1]}` has components 0 to {count - 1}"
                )
            known = dict.fromkeys(_whole(one) for one in parameters)
            raise HLError(
                f"{policy} has no parameter `{name}`",
                f"its parameters: {', '.join(sorted(known))}; `*` stands for any letters",
            )
    found = [one for one in parameters if names is None or any(_means(name, one) for name in names)]
    moving = [one for one in found if one.low < one.high]
    if not moving:
        raise HLError(f"the parameters of {policy} cannot move: their ranges are single points", "widen a range")
    return moving


def _whole(one: Parameter) -> str:
    return one.name.partition("[")[0]


def _means(name: str, one: Parameter) -> bool:
    pattern = "".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in name)
    return any(re.fullmatch(pattern, known) for known in (one.name, _whole(one)))
