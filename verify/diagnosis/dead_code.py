"""What of a program never counts: rules that are never reached, conditions that are always or never true, modes that are
never entered, parameters that change nothing. Each is proved of the program that runs, and told with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from hl_dsl.compiler.ir.dataflow import Dataflow, OfParameter, Parameter
from hl_dsl.grammar.tree.syntax_tree import Modes, Param
from hl_dsl.verify.diagnosis.condition_sites import BRANCH, RULE, TRANSITION, ConditionSite, find_condition_sites
from hl_dsl.verify.diagnosis.dead_code_reasons import DeadCodeReasons, quote_condition
from hl_dsl.verify.diagnosis.reachable_conditions import ReachableConditions
from hl_dsl.verify.equivalence.equivalence import same_actions
from hl_dsl.verify.goals.graph_index import Interval
from hl_dsl.verify.goals.limits import ProofLimits
from hl_dsl.verify.goals.statuses import ProofStatus, describe_assumptions
from hl_dsl.verify.methods.interval_stage import IntervalStage
from hl_dsl.verify.proof_pipeline import prove
from hl_dsl.verify.results.report import Proof
from hl_dsl.verify.smt.solver import Solver

from hl_dsl.base.diagnostics import Diagnostic, Label
from hl_dsl.language.checker import CheckedProgram

_MOST_PARAMETERS = 16
_EPISODES = 30  # a parameter mostly counts for something, if only in a mode that is seldom entered
# What is proved once more without the assumptions is worth little time.
_CHEAP = dict(components=False, lemmas=False, lanes=0, depths=(0, 1), bounded_depths=(0, 0), solver_steps=100_000)


def find_dead_code(
    checked: CheckedProgram, proof: Proof | None = None, limits: ProofLimits = ProofLimits()
) -> tuple[Diagnostic, ...]:
    """Warnings, in the order of the text. What a `proof` of the program proved is made use of. One that does not hold without
    the assumptions says so."""
    flow, sites = find_condition_sites(checked)
    claims = _claims(checked, flow, sites, proof, limits)
    if claims is None:
        return ()
    warnings = list(claims.values())
    if warnings and flow.of_kind("assume"):
        free = replace(flow, properties=[item for item in flow.properties if item.kind != "assume"])
        proof_without = prove(free, replace(limits, **_CHEAP)) if proof is not None else None
        claims_without = _claims(checked, free, sites, proof_without, limits) or {}
        suffix = f", given {describe_assumptions(flow)}"
        warnings = [item if key in claims_without else replace(item, message=item.message + suffix) for key, item in claims.items()]
    return tuple(sorted([*warnings, *_without_effect(checked, flow)], key=lambda item: item.span))


def _claims(
    checked: CheckedProgram, flow: Dataflow, sites: list[ConditionSite], proof: Proof | None, limits: ProofLimits
) -> dict[tuple, Diagnostic] | None:
    """What never counts, by code and place; None where nothing can happen at all, which the proof tells."""
    modes = [mode for item in checked.policy.of(Modes) for mode in item.modes]
    proved = (
        {result.id for result in proof.results if result.status == ProofStatus.PROVED} if proof is not None else set()
    )
    if proof is not None and any(
        result.kind != "invariant" and result.status != ProofStatus.PROVED for result in proof.results
    ):
        limits = replace(limits, solver=False)  # where a float may overflow the solver knows nothing of it
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
    """Memory ranges, within the declared ones where those are proved."""
    return [
        (max(pair[0], cell.low), min(pair[1], cell.high))
        if cell.declared and f"memory:{cell.name}" in proved and cell.base in ("int", "real")
        else pair
        for cell, pair in zip(flow.memories, ranges)
    ]


def _without_effect(checked: CheckedProgram, flow: Dataflow) -> Iterable[Diagnostic]:
    """Parameters that the action is computed from, and that change none: the program is compared with itself where it takes
    another value."""
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
    """Another parameter with the same values: one that is matched with none of the first program."""
    return replace(
        entry, name=f"{entry.name} elsewhere", default=entry.high if entry.default == entry.low else entry.low
    )


def _closed(flow: Dataflow, roots: Sequence[int]) -> set[int]:
    """What roots depend on, at this tick or an earlier one."""
    wanted = set(roots)
    while True:
        nodes = flow.reachable(list(wanted))
        added = {flow.memories[flow.nodes[number].value].next for number in nodes if flow.nodes[number].op == "memory"}
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
        modes: list,
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
        """The conditions of its list that are asked first."""
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
            RULE: "what stands behind this rule is never reached",
            TRANSITION: "no transition behind this one ever fires",
            BRANCH: "its `else` never counts",
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
            f"always true where it is asked: {quote_condition(site.condition.expression)}; {what}",
            site.condition.span,
            label,
            others=others,
            severity="warning",
        )

    def _unreached(self) -> dict[str, str]:
        """Modes no episode enters, by name, with the reason."""
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
                reasons[mode.name] = (
                    f"{quote_condition(outside[0].condition.expression)}, which leads here from `{outside[0].condition.mode}`, is never true"
                )
            else:
                reasons[mode.name] = f"only `{into[0].condition.mode}` leads here, which is never entered either"
        return reasons
