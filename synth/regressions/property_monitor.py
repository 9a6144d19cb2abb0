"""Monitor of a case's property on a recorded episode, independent of the program that acted."""

from __future__ import annotations

import re

from hl_dsl.base.diagnostics import ProgramError
from hl_dsl.base.errors import HLError
from hl_dsl.cards import Card, CardResolver
from hl_dsl.cases.records import Window
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.grammar.tree.syntax_tree import PropertyDeclaration
from hl_dsl.program import Program
from hl_dsl.synth.rollouts.episode import Recording
from hl_dsl.synth.rollouts.trace import replayed

_NAME = "property"


def monitor_program(card: Card, holds: str) -> Dataflow:
    """Returns a policy that observes everything and has the property `holds` as its only monitor.

    Its action is not used.

    Raises:
        HLError: `holds` is not a property over the observations.
    """
    text = (
        f'policy watch for "{card.environment}" {{\n'
        f"  observe {', '.join(card.fields)}\n"
        f"  monitor {_NAME}: {holds}\n"
        f"  act {_any_action(card)}\n"
        "}\n"
    )
    hint = f"write a property over the observations: {', '.join(card.fields)}"
    if re.search(r"(?<![\w.])action\b", holds):
        raise HLError(
            f"the property `{holds}` uses the action, but a case must not depend on the program",
            hint,
        )
    try:
        program = Program.parse(text, "the case's property", CardResolver(cards=(card,)))
    except ProgramError as error:
        message = f"`{holds}` is not a property over the observations: {error.diagnostics[0].message}"
        raise HLError(message, hint) from None
    if len(list(program.syntax.of(PropertyDeclaration))) != 1 or len(program.syntax.declarations) != 3:
        raise HLError(f"`{holds}` is more than one property", hint)
    return program.flow


def first_violation(flow: Dataflow, recording: Recording, window: Window | None) -> int | None:
    """Returns the first tick of the window at which the monitor of `flow` is false; None if it always holds."""
    node = flow.of_kind("monitor")[0].node
    start = 0 if window is None else window.start
    stop = len(recording) if window is None else min(window.end, len(recording))
    for tick, _, result in replayed(flow, recording, 0, stop):
        if tick >= start and not result.values[node]:
            return tick
    return None


def _any_action(card: Card) -> str:
    action = card.action
    if action.names:
        return f"{{ otherwise => {action.names[0]} }}"
    middle = [repr((low + high) / 2) for low, high in zip(action.low, action.high, strict=True)]
    return middle[0] if action.size == 1 else f"[{', '.join(middle)}]"
