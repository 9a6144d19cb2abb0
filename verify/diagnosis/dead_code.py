"""Dead code: rules and modes that are never reached, constant conditions, and parameters without effect.

Each is proved of the program that runs, and reported with its reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from hl_dsl.base.diagnostics import Diagnostic, Label
from hl_dsl.base.source import Span
from hl_dsl.compiler.ir.dataflow import Dataflow, OfParameter, Parameter
from hl_dsl.grammar.tree.syntax_tree import Mode, Modes, Param
from hl_dsl.language.checker import CheckedProgram
from hl_dsl.verify.diagnosis.condition_sites import BRANCH, RULE, TRANSITION, ConditionSite, find_condition_sites
from hl_dsl.verify.diagnosis.dead_code_reasons import DeadCodeReasons, quote_condition
from hl_dsl.verify.diagnosis.reachable_conditions import ReachableConditions
from hl_dsl.verify.equivalence.equivalence import same_actions
from hl_dsl.verify.goals.graph_index import Interval
from hl_dsl.verify.goals.limits import DEFAULT_LIMITS, ProofLimits
from hl_dsl.verify.goals.statuses import ProofStatus, describe_assumptions
from hl_dsl.verify.methods.interval_stage import IntervalStage
from hl_dsl.verify.proof_pipeline import prove
from hl_dsl.verify.results.report import Proof
from hl_dsl.verify.smt.solver import Solver

_MOST_PARAMETERS = 16
_EPISODES = 30  # most parameters have an effect, some only in a mode that is seldom entered
_CHEAP_STEPS = 100_000  # z3's resource counter for a query without the assumptions


def find_dead_code(
    checked: CheckedProgram, proof: Proof | None = None, limits: ProofLimits = DEFAULT_LIMITS
) -> tuple[Diagnostic, ...]:
    """Returns warnings in the order of the text. A warning that depends on the assumptions says so.

    Args:
        checked: The program.
        proof: Its proof, if there is one; proved facts are used.
        limits: Limits of the proofs.
    """
    flow, sites = find_condition_sites(checked)
    claims = _claims(checked, flow, sites, proof, limits)
    if claims is None:
        return ()
    warnings = list(claims.values())
    if warnings and flow.of_kind("assume"):
        free = replace(flow, properties=[item for item in flow.properties if item.kind != "assume"])
        proof_without = prove(free, _cheap(limits)) if proof is not None else None
        claims_without = _claims(checked, free, sites, proof_without, limits) or {}
        suffix = f", given {describe_assumptions(flow)}"
        warnings = [
            item if key in claims_without else replace(item, message=item.message + suffix)
            for key, item in claims.items()
        ]
    return tuple(sorted([*warnings, *_without_effect(checked, flow)], key=lambda item: item.span))


def _cheap(limits: ProofLimits) -> ProofLimits:
    """Returns limits for a second proof, without the assumptions."""
    return replace(
        limits,
        components=False,
        lemmas=False,
        lanes=0,
        depths=(0, 1),
        bounded_depths=(0, 0),
        solver_steps=_CHEAP_STEPS,
    )


def _claims(
    checked: CheckedProgram, flow: Dataflow, sites: list[ConditionSite], proof: Proof | None, limits: ProofLimits
) -> dict[tuple[str, Span], Diagnostic] | None:
    """Returns warnings by code and place; None if no tick is possible, which the proof reports."""
    modes = [mode for item in checked.policy.of(Modes) for mode in item.modes]
    proved = (
        {result.id for result in proof.results if result.status == ProofStatus.PROVED} if proof is not None else set()
    )
    if proof is not None and any(
        result.kind != "invariant" and result.status != ProofStatus.PROVED for result in proof.results
    ):
        limits = replace(limits, solver=False)  # the encoding does not describe a float that overflows
    stage = IntervalStage(flow)
    facts = [item.node for item in flow.of_kind("invariant") if f"invariant:{item.name}" in proved]
    with Solver(limits.hang_seconds) as solver:
        known = ReachableConditions(
            stage, _within_proved_ranges(flow, stage.ranges, proved), facts, _nodes(sites), limits, solver
        )
        if known.base.dead:
            return None
        return {(item.code, item.span): item for item in _DeadCode(checked, flow, sites, modes, known).warnings()}


def _within_proved_ranges(flow: Dataflow, ranges: Sequence[Interval], proved: set[str]) -> list[Interval]:
    """Returns the memory ranges, restricted to the declared ones that are proved."""
    return [
        (max(pair[0], cell.low), min(pair[1], cell.high))
        if cell.declared
        and f"memory:{cell.name}" in proved
        and cell.base in ("int", "real")
        and cell.low is not None
        and cell.high is not None
        else pair
        for cell, pair in zip(flow.memories, ranges)
    ]


def _without_effect(checked: CheckedProgram, flow: Dataflow) -> Iterable[Diagnostic]:
    """Yields warnings about parameters that the action depends on and that change no action.

    The program is compared with itself where the parameter has another value.
    """
    used = {flow.nodes[node].value for node in _closed(flow, flow.action) if flow.nodes[node].op == "parameter"}
    if flow.plan is not None:  # what a plan is made by changes actions, even where the action is computed without it
        planned = [node for node in (flow.plan.each, flow.plan.final) if node is not None]
        used -= {value.position for value in flow.plan.settings.values() if type(value) is OfParameter}
        used -= {flow.nodes[node].value for node in _closed(flow, planned) if flow.nodes[node].op == "parameter"}
    for param in list(checked.policy.of(Param))[:_MOST_PARAMETERS]:
        own = {position for position, entry in enumerate(flow.parameters) if entry.name.partition("[")[0] == param.name}
        if own & used and same_actions(
            flow,
            replace(
                flow,
                parameters=[
                    _freed(entry) if position in own else entry for position, entry in enumerate(flow.parameters)
                ],
            ),
            _EPISODES,
        ):
            yield Diagnostic(
                "HL514",
                f"the parameter `{param.name}` changes no action",
                param.name_span,
                severity="warning",
                label="proved: whatever its value, the policy acts the same",
            )


def _freed(entry: Parameter) -> Parameter:
    """Returns a parameter with the same range that matches no parameter of the first program."""
    return replace(
        entry, name=f"{entry.name} elsewhere", default=entry.high if entry.default == entry.low else entry.low
    )


def _closed(flow: Dataflow, roots: Sequence[int]) -> set[int]:
    """Returns the nodes that `roots` depend on, at the same tick or an earlier one."""
    wanted = set(roots)
    while True:
        nodes = flow.reachable(list(wanted))
        added = {
            flow.memories[flow.nodes[number].position].next for number in nodes if flow.nodes[number].op == "memory"
        }
        if added <= wanted:
            return set(nodes)
        wanted |= added


def _nodes(sites: Sequence[ConditionSite]) -> Iterable[int]:
    return (node for site in sites for node in (site.met, site.unmet, site.test, site.guard) if node is not None)


class _DeadCode:
    def __init__(
        self,
        checked: CheckedProgram,
        flow: Dataflow,
        sites: list[ConditionSite],
        modes: list[Mode],
        known: ReachableConditions,
    ):
        self.checked, self.flow, self.sites, self.modes, self.known = checked, flow, sites, modes, known
        self.reasons = DeadCodeReasons(checked, flow, sites, known)
        self.never = known.impossible(node for site in sites for node in (site.met, site.unmet))

    def warnings(self) -> Iterable[Diagnostic]:
        unreached = self._unreached()
        for name, why in unreached.items():
            mode = next(mode for mode in self.modes if mode.name == name)
            yield Diagnostic("HL513", f"the mode `{name}` is never entered", mode.name_span, why, severity="warning")
        for site in self.sites:
            if site.condition.mode in unreached:
                continue
            never, always = site.met in self.never, site.unmet in self.never
            if never and not always:
                yield self._never(site)
            elif always and not never:
                yield self._always(site)

    def _before(self, site: ConditionSite) -> list[ConditionSite]:
        """Returns the conditions of the same list that are evaluated before."""
        return [
            other
            for other in self.sites
            if site.condition.place != BRANCH
            and other.condition.list_ == site.condition.list_
            and other.condition.place == site.condition.place
            and other.condition.number < site.condition.number
        ]

    def _never(self, site: ConditionSite) -> Diagnostic:
        before = self._before(site)
        text = quote_condition(site.condition.expression)
        covering, label = self.reasons.covering(site, before, True)
        others = tuple(Label(other.condition.span, "this takes it") for other in covering[:3])
        if site.condition.place == RULE:
            return Diagnostic(
                "HL510",
                f"rule {site.condition.number + 1} is never reached: {text} is never true there",
                site.condition.span,
                label,
                others=others,
                severity="warning",
            )
        what = "this transition never fires" if site.condition.place == TRANSITION else "never true"
        return Diagnostic("HL512", f"{what}: {text}", site.condition.span, label, others=others, severity="warning")

    def _always(self, site: ConditionSite) -> Diagnostic:
        covering, label = self.reasons.covering(site, self._before(site), False)
        others = tuple(Label(other.condition.span, "this takes the rest") for other in covering[:3])
        what = {
            RULE: "the rules after it are never reached",
            TRANSITION: "the transitions after it never fire",
            BRANCH: "its `else` is never used",
        }[site.condition.place]
        if site.condition.place == TRANSITION:
            last = not any(
                other.condition.list_ == site.condition.list_
                and other.condition.place == TRANSITION
                and other.condition.number > site.condition.number
                for other in self.sites
            )
            what = f"the mode `{site.condition.mode}` is left at its first tick" if last else what
        return Diagnostic(
            "HL511",
            f"always true where it is evaluated: {quote_condition(site.condition.expression)}; {what}",
            site.condition.span,
            label,
            others=others,
            severity="warning",
        )

    def _unreached(self) -> dict[str, str]:
        """Returns the modes that no episode enters, by name, with the reason."""
        if len(self.modes) < 2:
            return {}
        import networkx

        graph = networkx.DiGraph()
        graph.add_nodes_from(mode.name for mode in self.modes)
        leading = [site for site in self.sites if site.condition.place == TRANSITION]
        graph.add_edges_from(
            (site.condition.mode, site.condition.target) for site in leading if site.met not in self.never
        )
        start = next(mode.name for mode in self.modes if mode.is_start)
        reached = {start} | networkx.descendants(graph, start)
        reasons = {}
        for mode in self.modes:
            if mode.name in reached:
                continue
            into = [site for site in leading if site.condition.target == mode.name and site.condition.mode != mode.name]
            outside = [site for site in into if site.condition.mode in reached]
            if not into:
                reasons[mode.name] = "no transition leads to it"
            elif outside:
                condition = outside[0].condition
                text = quote_condition(condition.expression)
                reasons[mode.name] = f"{text}, which leads here from `{condition.mode}`, is never true"
            else:
                reasons[mode.name] = f"only `{into[0].condition.mode}` leads here, which is never entered either"
        return reasons
