"""Masks of operands in lanes that do not need the result.

A batch computes every node in every lane, also in lanes in which a guard is false. There the node may divide by zero or
overflow, and NumPy would warn. So the operands of a node that is guarded and not always finite are masked: they get a
harmless value in the lanes that do not need the node.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

from hl_dsl.compiler.backends.value_bounds import UNDEFINED, node_bounds, result_bounds
from hl_dsl.compiler.ir.dataflow import Dataflow


class Mask(NamedTuple):
    """Operand `position` is to be `fill` wherever none of `conditions` (nodes) is true."""

    position: int
    conditions: tuple[int, ...]
    fill: int | float


class MaskPlan(NamedTuple):
    """`order`: all nodes to compute, each after what it needs. `masks`: of the nodes that have any.

    `bounds`: (low, high) of every node in all lanes, and of every operand as the node gets it.
    """

    order: list[int]
    masks: dict[int, tuple[Mask, ...]]
    bounds: dict[int, tuple]
    operands: dict[int, list[tuple]]

    def needs(self, flow: Dataflow, number: int) -> tuple[int, ...]:
        """The nodes that are to be there before this one."""
        return (
            *flow.nodes[number].args,
            *(condition for mask in self.masks.get(number, ()) for condition in mask.conditions),
        )


def plan_masks(flow: Dataflow, outputs: Sequence[int]) -> MaskPlan:
    """The masks of a program."""
    conditions = _conditions(flow)
    bounds = node_bounds(flow, flow.reachable([*outputs, *(node for nodes in conditions.values() for node in nodes)]))
    plan = MaskPlan([], {}, bounds, {})
    for number in sorted(bounds):
        node = flow.nodes[number]
        if node.form is None:
            continue
        pairs = [bounds[arg] for arg in node.args]
        under = conditions.get(number, ())
        if (
            under
            and not _finite(node.form.interval(*pairs))
            and not any(_needed(flow, plan, condition, number) for condition in under)
        ):
            plan.masks[number], pairs = _masked(flow, bounds, number, under)
        plan.operands[number] = pairs
        found = result_bounds(node, pairs)
        bounds[number] = _meet(found, bounds[number]) if number not in plan.masks else found
    plan.order.extend(_ordered(flow, plan, outputs))
    return plan


def _conditions(flow: Dataflow) -> dict[int, tuple[int, ...]]:
    """For a node that is needed only under conditions: those."""
    guards: dict[int, set] = {}
    for item in flow.obligations:
        if item.kind == "finite":
            guards.setdefault(item.subject, set()).add(item.guard)
    return {number: tuple(sorted(found)) for number, found in guards.items() if None not in found}


def _masked(
    flow: Dataflow, bounds: dict[int, tuple], number: int, conditions: tuple[int, ...]
) -> tuple[tuple[Mask, ...], list[tuple]]:
    """Masks for a node's operands, and what they then lie within.

    Where the condition itself narrows operands so that the node is finite, those are masked, with a value from within.
    Else as few as make the node finite when they are 0.
    """
    node = flow.nodes[number]
    assert node.form is not None
    if len(conditions) == 1:
        pairs = _narrowed(flow, bounds, node.args, conditions[0])
        tight = [position for position, arg in enumerate(node.args) if pairs[position] != bounds[arg]]
        if tight and _finite(node.form.interval(*pairs)):
            return tuple(Mask(position, conditions, _harmless(pairs[position])) for position in tight), pairs
    everywhere = sorted(range(len(node.args)), key=lambda position: flow.nodes[node.args[position]].op == "constant")
    for size in range(1, len(node.args) + 1):
        for chosen in combinations(everywhere, size):
            if _finite(
                node.form.interval(
                    *((0, 0) if position in chosen else bounds[arg] for position, arg in enumerate(node.args))
                )
            ):
                pairs = [
                    _with_zero(bounds[arg]) if position in chosen else bounds[arg]
                    for position, arg in enumerate(node.args)
                ]
                return tuple(Mask(position, conditions, 0) for position in chosen), pairs
    return tuple(Mask(position, conditions, 0) for position in everywhere), [
        _with_zero(bounds[arg]) for arg in node.args
    ]


def _narrowed(flow: Dataflow, bounds: dict[int, tuple], wanted: Sequence[int], condition: int) -> list[tuple]:
    """The bounds of nodes where a condition holds, also of those that are only computed from what it speaks of."""
    known: dict[int, tuple] = {}
    _assume(flow, bounds, known, condition, True)
    if not known:
        return [bounds[number] for number in wanted]
    for number in flow.reachable(wanted):
        node = flow.nodes[number]
        if node.form is not None and any(arg in known and known[arg] != bounds[arg] for arg in node.args):
            pair = _meet(result_bounds(node, [known.get(arg, bounds[arg]) for arg in node.args]), bounds[number])
            known[number] = _meet(pair, known.get(number, pair))
    return [known.get(number, bounds[number]) for number in wanted]


def _assume(flow: Dataflow, bounds: dict[int, tuple], known: dict[int, tuple], number: int, truth: bool) -> None:
    """Narrows bounds, in `known`, by a bool node's being true or false, by the rows' own rules."""
    node = flow.nodes[number]
    if node.form is None or node.form.refine is None:
        return
    before = [known.get(arg, bounds[arg]) for arg in node.args]
    pairs = node.form.refine(truth, *before, flow.nodes[node.args[0]].base)
    for arg, pair, old in zip(node.args, pairs or (), before):
        if not _finite(old) or pair == old:  # what might be NaN obeys no order
            continue
        known[arg] = _meet(pair, old)
        if flow.nodes[arg].base == "bool":
            _assume(flow, bounds, known, arg, bool(known[arg][0]))


def _with_zero(pair: tuple) -> tuple:
    return pair if pair is UNDEFINED else (min(pair[0], 0), max(pair[1], 0))


def _harmless(pair: tuple) -> int | float:
    """The end nearest to zero, or zero."""
    low, high = pair
    return low if low > 0 else high if high < 0 else 0


def _needed(flow: Dataflow, plan: MaskPlan, start: int, wanted: int) -> bool:
    """Whether `start` is computed from `wanted`."""
    seen, stack = set(), [start]
    while stack:
        number = stack.pop()
        if number == wanted:
            return True
        if number not in seen:
            seen.add(number)
            stack += plan.needs(flow, number)
    return False


def _ordered(flow: Dataflow, plan: MaskPlan, outputs: Sequence[int]) -> list[int]:
    order: dict[int, None] = {}
    stack = [(root, False) for root in reversed(outputs)]
    while stack:
        number, ready = stack.pop()
        if ready:
            order[number] = None
        elif number not in order:
            stack.append((number, True))
            stack += [(need, False) for need in reversed(plan.needs(flow, number)) if need not in order]
    return list(order)


def _finite(pair: tuple) -> bool:
    return -math.inf < pair[0] and pair[1] < math.inf


def _meet(pair: tuple, other: tuple) -> tuple:
    """What both allow. No bound makes a number of what may be NaN."""
    if pair is UNDEFINED:
        return pair
    low, high = max(pair[0], other[0]), min(pair[1], other[1])
    return (low, high) if low <= high else other
