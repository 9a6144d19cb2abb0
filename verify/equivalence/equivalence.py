"""Equivalence of two programs: the same actions by construction, by proof for floats or over the reals, or neither."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any

from hl_dsl.base.errors import HLError
from hl_dsl.base.source import NOWHERE
from hl_dsl.compiler.backends.interpreter import Interpreter
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.compiler.ir.structural_hash import canonical_hash
from hl_dsl.verify.equivalence.comparison import Comparison, EquivalenceStatus
from hl_dsl.verify.equivalence.correspondence import Correspondence, guess_correspondence, simulate_jointly
from hl_dsl.verify.equivalence.matching import match
from hl_dsl.verify.equivalence.product import SAME, SIDES, Product, SideCell, build_product
from hl_dsl.verify.equivalence.sweeping import prove_all, sweep
from hl_dsl.verify.equivalence.thresholds import find_rounding_difference
from hl_dsl.verify.goals.cone_of_influence import find_closed_cone
from hl_dsl.verify.goals.goals import Goal, list_goals
from hl_dsl.verify.goals.graph_index import GraphIndex
from hl_dsl.verify.goals.limits import ProofLimits
from hl_dsl.verify.goals.statuses import ProofStatus
from hl_dsl.verify.proof_pipeline import prove
from hl_dsl.verify.simulation.replay import SimulatedRun, first_break, shorten_run
from hl_dsl.verify.smt.solver import Solver, SolverFailure

_QUICK = ProofLimits(solver_steps=20_000)  # cheap enough for a search
_USUAL = ProofLimits(
    boxes=100, solver_steps=300_000, depths=(0, 1), bounded_depths=(6, 12), bounded_steps=200_000, components=False
)
_ROUNDS = 6  # attempts to find the memory cells that correspond


def compare(a: Dataflow, b: Dataflow, limits: ProofLimits = _USUAL) -> Comparison:
    """Compares what two programs do. The status does not depend on their order.

    Raises:
        HLError: The programs are for different environments.
    """
    start = perf_counter()
    if a.card.environment != b.card.environment:
        raise HLError(
            f"A is a policy for {a.card.environment} and B for {b.card.environment}: they cannot be compared",
            "compare policies for one environment",
        )
    if canonical_hash(a) == canonical_hash(b):
        return Comparison(EquivalenceStatus.IDENTICAL, "the same canonical hash", (), seconds=perf_counter() - start)
    if _order(b) < _order(a):
        comparison = _swap_sides(_compare(b, a, limits, True), a, b)
    else:
        comparison = _compare(a, b, limits, False)
    return replace(comparison, seconds=perf_counter() - start)


def _order(flow: Dataflow) -> tuple[int, str]:
    """Sort key that makes the order of two programs canonical.

    The smaller program is first: `sweep` looks for a node of the first program that replaces a node of the second.
    """
    nodes = [(node.op, node.args, node.base, node.value) for node in flow.nodes]
    return len(nodes), repr(
        (nodes, flow.action, flow.inputs, flow.parameters, [replace(cell, span=NOWHERE) for cell in flow.memories])
    )


def _swap_sides(comparison: Comparison, a: Dataflow, b: Dataflow) -> Comparison:
    """Returns a comparison of `b` with `a` as one of `a` with `b`. The notes are in the caller's order already."""
    swapped = replace(comparison, method=_swap_names(comparison.method), detail=_swap_names(comparison.detail))
    if comparison.run is None or comparison.joint is None:
        return swapped
    joint = build_product(a, b)
    there, here = comparison.joint.matching, joint.matching
    places = {(entry.source, entry.column, entry.base): position for position, entry in enumerate(there.joint_inputs)}
    order = [places[entry.source, entry.column, entry.base] for entry in here.joint_inputs]
    parameters = {
        here.joint_parameters[own].name: comparison.run.parameters[there.joint_parameters[other].name]
        for side in (0, 1)
        for own, other in zip(here.parameters[side], there.parameters[1 - side])
        if own is not None and other is not None
    }
    rows = tuple(tuple(row[position] for position in order) for row in comparison.run.rows)
    return replace(swapped, run=SimulatedRun(parameters, rows), joint=joint)


def _swap_names(text: str) -> str:
    """Returns a text in which the prefixes of A's and B's cells are exchanged."""
    return re.sub(r"(?<![\w.])[AB](?=\.\w)", lambda side: SIDES[1 - SIDES.index(side[0])], text)


def same_actions(a: Dataflow, b: Dataflow, episodes: int = 3) -> bool:
    """Returns True if two programs are proved to act the same for every float input, by a cheap proof for a search.

    Random `episodes` come first. More of them pay off if the programs are likely to differ, but seldom do.
    """
    if a.card.environment != b.card.environment:
        return False
    if _order(b) < _order(a):
        a, b = b, a
    whole = build_product(a, b)
    simulation = simulate_jointly(whole, episodes)
    if simulation.run is not None:
        return False
    guesses = guess_correspondence(whole, (a, b), simulation.signatures)
    joint = _build_verified(a, b, guesses, {})
    if _is_same_computation(joint):
        return True
    if merged := sweep(a, b, guesses, _QUICK):
        joint = _build_verified(a, b, guesses, merged)
        if _is_same_computation(joint):
            return True
        joint = _build_verified(a, b, guesses, {})
    try:
        with Solver(_QUICK.hang_seconds) as solver:
            return prove_all(joint.flow, _QUICK, solver)
    except SolverFailure:
        return False


def _is_same_computation(joint: Product) -> bool:
    return joint.identical and all(first == second for first, second in joint.checks.values())


def _compare(a: Dataflow, b: Dataflow, limits: ProofLimits, swapped: bool) -> Comparison:
    """Compares two programs in canonical order.

    `swapped`: the caller's order, which the notes follow, is the other one.
    """
    whole = build_product(a, b)
    matched = notes = match(b, a).notes if swapped else whole.matching.notes
    simulation = simulate_jointly(whole)
    if simulation.run is not None:
        return _different(whole, simulation.run, "simulation", notes)
    guesses = guess_correspondence(whole, (a, b), simulation.signatures)
    swept = False
    merged: Mapping[int, int] = {}
    for _ in range(_ROUNDS):
        before = len(guesses.links)
        joint = _build_verified(a, b, guesses, merged)
        if len(guesses.links) < before and merged:
            swept, merged = False, {}  # the merged nodes were proved equal with links that are now dropped
            continue
        notes = matched + _property_notes(a, b, joint, swapped)
        if _is_same_computation(joint):
            method = _method(guesses, "z3, node by node" if merged else "the same computation")
            return Comparison(EquivalenceStatus.EQUAL, method, notes)
        if not swept:
            swept, merged = True, sweep(a, b, guesses, limits)
            if merged:
                continue
        flow = _slim(build_product(a, b, guesses.links, guesses.equal, merged, obligations=True).flow)
        results = {result.id: result for result in prove(flow, limits).results}
        same = results[f"invariant:{SAME}"]
        linked = {
            place: results[f"invariant:link_{SIDES[place.side]}_{place.cell}"].status
            for place, pair in joint.checks.items()
            if pair[0] != pair[1]
        }
        unproved = [
            place for place, status in linked.items() if status not in (ProofStatus.PROVED, ProofStatus.PROVED_REALS)
        ]
        if unproved:
            _drop(guesses, unproved, (a, b))
            swept, merged = False, {}
            continue
        if {same.status, *linked.values()} == {ProofStatus.PROVED}:
            return Comparison(EquivalenceStatus.EQUAL, _method(guesses, same.method), notes)
        run = _run_of(whole, same.trace) if same.status == ProofStatus.VIOLATED else None
        if run is not None:
            return _different(whole, run, same.method, notes)
        break
    else:
        return Comparison(
            EquivalenceStatus.UNKNOWN,
            "simulation, induction",
            notes,
            "the memory cells that correspond to each other were not found",
        )
    run = find_rounding_difference(whole.flow, seed=0)
    if run is not None:
        if same.status == ProofStatus.PROVED_REALS:
            notes += ("over the reals they act the same: only rounding makes the difference",)
        return _different(whole, run, "a search along the thresholds", notes)
    if same.status in (ProofStatus.PROVED, ProofStatus.PROVED_REALS):
        return Comparison(EquivalenceStatus.EQUAL_REALS, same.method, notes)
    detail = same.detail.replace("violates it", "distinguishes them")
    return Comparison(
        EquivalenceStatus.UNKNOWN,
        "simulation, induction",
        notes,
        f"{same.status}: {detail}" if detail else str(same.status),
    )


def _build_verified(a: Dataflow, b: Dataflow, guesses: Correspondence, merged: Mapping[int, int]) -> Product:
    """Returns the joint program, after dropping links between reals that its own graph does not show to hold.

    A solver compares numbers, and zeros of either sign are one number. That suffices for the final actions, but not
    for a float that is used in further computations.
    """
    while True:
        joint = build_product(a, b, guesses.links, guesses.equal, merged)
        unproved = [
            place
            for place, (first, second) in joint.checks.items()
            if first != second and joint.flow.nodes[first].base == "real"
        ]
        if not unproved:
            return joint
        _drop(guesses, unproved, (a, b))


def _drop(guesses: Correspondence, places: Sequence[SideCell], flows: tuple[Dataflow, Dataflow]) -> None:
    """Drops links. A link to a cell becomes a pair of cells to be proved equal."""
    for place in places:
        side, number = guesses.links.pop(place)
        node = flows[side].nodes[number]
        if node.op == "memory":
            other = SideCell(side, node.position)
            if place not in guesses.links and other not in guesses.links:
                guesses.equal.append((place, other))


def _slim(flow: Dataflow) -> Dataflow:
    """Returns the program with only those obligations that its invariants depend on."""
    index = GraphIndex(flow)
    cones = {
        node
        for goal in list_goals(flow)
        if goal.declaration is not None
        for node in find_closed_cone(flow, [*goal.nodes, *index.assumes])
    }
    return replace(flow, obligations=[item for item in flow.obligations if item.subject in cones])


def _method(guesses: Correspondence, method: str) -> str:
    count = len(guesses.links)
    return method if not count else f"{method}; {count} memory cell{'s' if count > 1 else ''} matched"


def _run_of(whole: Product, trace: Sequence[Mapping[str, Any]]) -> SimulatedRun | None:
    """Returns the run of a trace if the two programs themselves differ on it."""
    names = [entry.name for entry in whole.flow.inputs]
    run = SimulatedRun(trace[0]["parameters"], tuple(tuple(tick["inputs"][name] for name in names) for tick in trace))
    return run if first_break(whole.flow, _same_actions_goal(whole), run) is not None else None


def _same_actions_goal(whole: Product) -> Goal:
    return next(goal for goal in list_goals(whole.flow) if goal.name == SAME)


def _different(whole: Product, run: SimulatedRun, method: str, notes: tuple[str, ...]) -> Comparison:
    short = shorten_run(whole.flow, _same_actions_goal(whole), run)
    interpreter = Interpreter(whole.flow, short.parameters)
    values = [interpreter.tick(row).values for row in short.rows][-1]
    if all(repr(values[first]) == repr(values[second]) for first, second in zip(*whole.actions)):
        return Comparison(
            EquivalenceStatus.UNKNOWN,
            method,
            notes,
            "an action of both programs is not a number, so the programs cannot be compared",
        )
    return Comparison(EquivalenceStatus.DIFFERENT, method, notes, run=short, joint=whole)


def _property_notes(a: Dataflow, b: Dataflow, joint: Product, swapped: bool) -> tuple[str, ...]:
    """Returns notes on properties that differ. They are not part of how the programs act."""
    properties = [
        {(item.kind, item.name): joint.nodes[side][item.node] for item in flow.properties}
        for side, flow in enumerate((a, b))
    ]
    if swapped:
        properties.reverse()
    first, second = properties
    notes = []
    for name, own, other in zip(SIDES, properties, reversed(properties)):
        alone = [
            f"{kind} `{title}`"
            for (kind, title), node in own.items()
            if (kind, title) not in other and node not in other.values()
        ]
        if alone:
            notes.append(f"the properties differ: only {name} has {', '.join(alone)}")
    different = [f"`{key[1]}`" for key, node in first.items() if second.get(key, node) != node]
    if different:
        notes.append(f"the properties differ, or are computed in another way: {', '.join(different)}")
    return tuple(notes)
