"""Whether two programs act the same: for floats by construction or by proof, over the reals only, or not, with a run."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from time import perf_counter

from hl_dsl.compiler.backends.interpreter import Interpreter
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.compiler.ir.structural_hash import canonical_hash
from hl_dsl.verify.equivalence.correspondence import Correspondence, guess_correspondence, simulate_jointly
from hl_dsl.verify.equivalence.matching import match
from hl_dsl.verify.equivalence.product import SAME, SIDES, Product, build_product
from hl_dsl.verify.equivalence.sweeping import prove_all, sweep
from hl_dsl.verify.equivalence.thresholds import find_rounding_difference
from hl_dsl.verify.goals.cone_of_influence import find_closed_cone
from hl_dsl.verify.goals.goals import list_goals
from hl_dsl.verify.goals.graph_index import GraphIndex
from hl_dsl.verify.goals.limits import ProofLimits
from hl_dsl.verify.goals.statuses import ProofStatus
from hl_dsl.verify.proof_pipeline import prove
from hl_dsl.verify.simulation.replay import SimulatedRun, first_break, shorten_run
from hl_dsl.verify.smt.solver import Solver, SolverFailure

from hl_dsl.base.errors import HLError
from hl_dsl.base.source import NOWHERE


class EquivalenceStatus(StrEnum):
    """Result of a comparison of two programs. The value is the word in reports and JSON documents."""

    IDENTICAL = "identical"
    EQUAL = "equal for every float input"
    EQUAL_REALS = "equal over the reals only"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


_QUICK = ProofLimits(solver_steps=20_000)  # for a search
_USUAL = ProofLimits(
    boxes=100, solver_steps=300_000, depths=(0, 1), bounded_depths=(6, 12), bounded_steps=200_000, components=False
)

_ROUNDS = 6


@dataclass(frozen=True)
class Comparison:
    """What was found of two programs. `run`: where they differ, over the joint observations and parameters of `build_product`.
    `notes`: what was matched with what, and what else differs; they do not change the status."""

    status: EquivalenceStatus
    method: str
    notes: tuple[str, ...]
    detail: str = ""
    run: SimulatedRun | None = None
    joint: Product | None = None
    seconds: float = 0.0

    @property
    def exit_code(self) -> int:
        return {EquivalenceStatus.IDENTICAL: 0, EquivalenceStatus.EQUAL: 0, EquivalenceStatus.UNKNOWN: 3}.get(
            self.status, 1
        )

    @property
    def claim(self) -> str:
        return _CLAIMS[self.status]


_EVERYWHERE = "for every sequence of observations and every value of the parameters in their ranges, from the start of an episode on, at every tick"
_CLAIMS = {
    EquivalenceStatus.IDENTICAL: "The two are one program: the same but for names, layout, the order of definitions and of operands that commute.",
    EquivalenceStatus.EQUAL: f"The two act the same {_EVERYWHERE}, under IEEE-754 binary64 rounding to nearest, ties to even. Actions are compared as numbers: "
    "a zero may differ in its sign. Assumes no fused or reassociated arithmetic, and the tools correct. Says nothing of properties.",
    EquivalenceStatus.EQUAL_REALS: f"Over the real numbers the two act the same {_EVERYWHERE}. The programs that run round, and whether rounding ever makes "
    "them act differently is not known.",
    EquivalenceStatus.DIFFERENT: "The two act differently: at the last tick of the run below, which starts an episode, as replayed by the reference interpreter "
    "of each program.",
    EquivalenceStatus.UNKNOWN: "Whether the two act the same is not known.",
}


def compare(a: Dataflow, b: Dataflow, limits: ProofLimits = _USUAL) -> Comparison:
    """Compares what two programs do. The status does not depend on their order.

    Raises HLError where they are for different environments.
    """
    start = perf_counter()
    if a.card.environment != b.card.environment:
        raise HLError(
            f"A is a policy for {a.card.environment} and B for {b.card.environment}: they cannot be compared",
            "compare policies for one environment",
        )
    if canonical_hash(a) == canonical_hash(b):
        return Comparison(EquivalenceStatus.IDENTICAL, "the same canonical hash", (), seconds=perf_counter() - start)
    found = _swap_sides(_compare(b, a, limits, True), a, b) if _order(b) < _order(a) else _compare(a, b, limits, False)
    return replace(found, seconds=perf_counter() - start)


def _order(flow: Dataflow) -> tuple[int, str]:
    """Sort key that makes the order of two programs canonical. The smaller program is first: `sweep` looks for a node of the first
    one that replaces a node of the second."""
    nodes = [(node.op, node.args, node.base, node.value) for node in flow.nodes]
    return len(nodes), repr(
        (nodes, flow.action, flow.inputs, flow.parameters, [replace(cell, span=NOWHERE) for cell in flow.memories])
    )


def _swap_sides(found: Comparison, a: Dataflow, b: Dataflow) -> Comparison:
    """A comparison of `b` with `a` as one of `a` with `b`. The notes are in the caller's order already."""
    texts = {
        name: re.sub(r"(?<![\w.])[AB](?=\.\w)", lambda side: SIDES[1 - SIDES.index(side[0])], getattr(found, name))
        for name in ("method", "detail")
    }
    if found.run is None:
        return replace(found, **texts)
    joint = build_product(a, b)
    there, here = found.joint.matching, joint.matching
    places = {(entry.source, entry.column, entry.base): position for position, entry in enumerate(there.joint_inputs)}
    order = [places[entry.source, entry.column, entry.base] for entry in here.joint_inputs]
    parameters = {
        here.joint_parameters[own].name: found.run.parameters[there.joint_parameters[other].name]
        for side in (0, 1)
        for own, other in zip(here.parameters[side], there.parameters[1 - side])
        if own is not None
    }
    run = SimulatedRun(parameters, tuple(tuple(row[position] for position in order) for row in found.run.rows))
    return replace(found, **texts, run=run, joint=joint)


def same_actions(a: Dataflow, b: Dataflow, episodes: int = 3) -> bool:
    """Whether two programs are proved to act the same for every float input, within what a search can afford. Random `episodes`
    come first: more of them pay where the two are likely to differ, but only seldom do."""
    if a.card.environment != b.card.environment:
        return False
    if _order(b) < _order(a):
        a, b = b, a
    whole = build_product(a, b)
    seen = simulate_jointly(whole, episodes)
    if seen.run is not None:
        return False
    guesses = guess_correspondence(whole, (a, b), seen.signatures)
    joint = _by_construction(a, b, guesses, {})
    if joint.identical and all(first == second for first, second in joint.checks.values()):
        return True
    if merged := sweep(a, b, guesses, _QUICK):
        joint = _by_construction(a, b, guesses, merged)
        if joint.identical and all(first == second for first, second in joint.checks.values()):
            return True
        joint = _by_construction(a, b, guesses, {})
    try:
        with Solver(_QUICK.hang_seconds) as solver:
            return prove_all(joint.flow, _QUICK, solver)
    except SolverFailure:
        return False


def _compare(a: Dataflow, b: Dataflow, limits: ProofLimits, swapped: bool) -> Comparison:
    """The comparison of two programs in canonical order. `turned`: the caller's order is the other one, which the notes follow."""
    whole = build_product(a, b)
    matched = notes = match(b, a).notes if swapped else whole.matching.notes
    seen = simulate_jointly(whole)
    if seen.run is not None:
        return _different(whole, seen.run, "simulation", notes)
    guesses = guess_correspondence(whole, (a, b), seen.signatures)
    swept, merged = False, {}
    for _ in range(_ROUNDS):
        before = len(guesses.links)
        joint = _by_construction(a, b, guesses, merged)
        if len(guesses.links) < before and merged:
            swept, merged = False, {}  # they were proved with the links that are gone
            continue
        notes = matched + _properties(a, b, joint, swapped)
        if joint.identical and all(first == second for first, second in joint.checks.values()):
            return Comparison(
                EquivalenceStatus.EQUAL,
                _method(guesses, "z3, node by node" if merged else "the same computation"),
                notes,
            )
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
        loose = [
            place for place, status in linked.items() if status not in (ProofStatus.PROVED, ProofStatus.PROVED_REALS)
        ]
        if loose:
            _drop(guesses, loose, a, b)
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
            "which memory cells belong together was not found out",
        )
    run = find_rounding_difference(whole.flow, seed=0)
    if run is not None:
        over_the_reals = (
            ("over the reals they act the same: rounding alone makes the difference",)
            if same.status == ProofStatus.PROVED_REALS
            else ()
        )
        return _different(whole, run, "a search along the thresholds", notes + over_the_reals)
    if same.status in (ProofStatus.PROVED, ProofStatus.PROVED_REALS):
        return Comparison(EquivalenceStatus.EQUAL_REALS, same.method, notes)
    detail = same.detail.replace("breaks it", "tells them apart")
    return Comparison(
        EquivalenceStatus.UNKNOWN, "simulation, induction", notes, f"{same.status}: {detail}" if detail else same.status
    )


def _by_construction(a: Dataflow, b: Dataflow, guesses: Correspondence, merged: Mapping[int, int]) -> Product:
    """The joint program, after dropping links between reals that its own graph does not show to hold.

    A solver compares numbers, and zeros of either sign are one number: enough for what is asked in the end, not for a
    float that goes on being computed with.
    """
    while True:
        joint = build_product(a, b, guesses.links, guesses.equal, merged)
        loose = [
            place
            for place, (first, second) in joint.checks.items()
            if first != second and joint.flow.nodes[first].base == "real"
        ]
        if not loose:
            return joint
        _drop(guesses, loose, a, b)


def _drop(guesses: Correspondence, loose: Sequence, a: Dataflow, b: Dataflow) -> None:
    for place in loose:
        side, node = guesses.links.pop(place)
        if (a, b)[side].nodes[node].op == "memory":
            other = type(place)(side, (a, b)[side].nodes[node].value)
            if place not in guesses.links and other not in guesses.links:
                guesses.equal.append((place, other))


def _slim(flow: Dataflow) -> Dataflow:
    """Only what the invariants are computed from must be well defined."""
    index = GraphIndex(flow)
    cones = {
        node
        for goal in list_goals(flow)
        if goal.property is not None
        for node in find_closed_cone(flow, [*goal.nodes, *index.assumes])
    }
    return replace(flow, obligations=[item for item in flow.obligations if item.subject in cones])


def _method(guesses: Correspondence, how: str) -> str:
    count = len(guesses.links)
    return how if not count else f"{how}; {count} memory cell{'s' if count > 1 else ''} matched"


def _run_of(whole: Product, trace: Sequence[dict]) -> SimulatedRun | None:
    """The run of a trace, if the two programs themselves differ on it."""
    names = [entry.name for entry in whole.flow.inputs]
    run = SimulatedRun(trace[0]["parameters"], tuple(tuple(tick["inputs"][name] for name in names) for tick in trace))
    return run if first_break(whole.flow, _goal(whole), run) is not None else None


def _goal(whole: Product):
    return next(goal for goal in list_goals(whole.flow) if goal.name == SAME)


def _different(whole: Product, run: SimulatedRun, method: str, notes: tuple[str, ...]) -> Comparison:
    short = shorten_run(whole.flow, _goal(whole), run)
    interpreter = Interpreter(whole.flow, short.parameters)
    values = [interpreter.tick(row).values for row in short.rows][-1]
    if all(repr(values[first]) == repr(values[second]) for first, second in zip(*whole.actions)):
        return Comparison(
            EquivalenceStatus.UNKNOWN, method, notes, "an action of both is no number, so they cannot be told apart"
        )
    return Comparison(EquivalenceStatus.DIFFERENT, method, notes, run=short, joint=whole)


def _properties(a: Dataflow, b: Dataflow, joint: Product, swapped: bool) -> tuple[str, ...]:
    """What the programs promise, assume and watch differently. That is no part of how they act."""
    said = [
        {(item.kind, item.name): joint.nodes[side][item.node] for item in flow.properties}
        for side, flow in enumerate((a, b))
    ]
    if swapped:
        said.reverse()
    notes = []
    for side, name in enumerate(SIDES):
        alone = [
            f"{kind} `{own}`"
            for kind, own in said[side]
            if (kind, own) not in said[1 - side] and said[side][kind, own] not in said[1 - side].values()
        ]
        if alone:
            notes.append(f"the properties differ: only {name} has {', '.join(alone)}")
    other = [
        f"`{name}`" for kind, name in said[0] if said[1].get((kind, name), said[0][kind, name]) != said[0][kind, name]
    ]
    if other:
        notes.append(f"the properties differ, or are computed in another way: {', '.join(other)}")
    return tuple(notes)
