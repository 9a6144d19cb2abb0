"""A property over what is observed, watched on an episode whoever played it."""

from __future__ import annotations

import re

from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.grammar.tree.syntax_tree import PropertyDeclaration
from hl_dsl.synth.regressions.case import Window
from hl_dsl.synth.rollouts.episode import Recording
from hl_dsl.synth.rollouts.trace import replayed

from hl_dsl.base.diagnostics import ProgramError
from hl_dsl.base.errors import HLError
from hl_dsl.cards import Card, CardResolver
from hl_dsl.program import Program

_NAME = "property"


def watcher(card: Card, holds: str) -> Dataflow:
    """A policy of the environment that observes everything, has one monitor, and whose actions nobody takes. Raises
    HLError where `holds` is no property over what is observed."""
    text = f'policy watch for "{card.environment}" {{\n  observe {", ".join(card.fields)}\n  monitor {_NAME}: {holds}\n  act {_any_action(card)}\n}}\n'
    hint = f"write a property over what is observed: {', '.join(card.fields)}"
    if re.search(r"(?<![\w.])action\b", holds):
        raise HLError(
            f"the property `{holds}` speaks of the action, but a case must not depend on how the program is written",
            hint,
        )
    try:
        program = Program.parse(text, "the case's property", CardResolver(cards=(card,)))
    except ProgramError as error:
        raise HLError(f"`{holds}` is no property over what is observed: {error.diagnostics[0].message}", hint) from None
    if len(list(program.syntax.of(PropertyDeclaration))) != 1 or len(program.syntax.declarations) != 3:
        raise HLError(f"`{holds}` is more than one property", hint)
    return program.flow


def first_break(flow: Dataflow, recording: Recording, window: Window | None) -> int | None:
    """The first tick, of the window's, at which a watcher's property is false; None where it holds."""
    node = flow.of_kind("monitor")[0].node
    start = 0 if window is None else window.start
    stop = len(recording) if window is None else min(window.end, len(recording))
    for tick, _, shown in replayed(flow, recording, 0, stop):
        if tick >= start and not shown.values[node]:
            return tick
    return None


def _any_action(card: Card) -> str:
    action = card.action
    if action.names:
        return f"{{ otherwise => {action.names[0]} }}"
    middle = [repr((low + high) / 2) for low, high in zip(action.low, action.high)]
    return middle[0] if action.size == 1 else f"[{', '.join(middle)}]"
