"""Transition relation of a program as one SMT-LIB script, for people and other solvers to read.

The script declares one tick from any memory state within the ranges that interval analysis proves. For each goal it
checks whether the tick can violate it: `unsat` is a proof of the goal. Any other answer means that the proof needs
more (induction over several ticks, lemmas), or that the goal is false.
"""

from __future__ import annotations

from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.compiler.ir.structural_hash import canonical_hash
from hl_dsl.verify.goals.cone_of_influence import order_nodes
from hl_dsl.verify.goals.goals import list_goals
from hl_dsl.verify.intervals.evaluator import Evaluator
from hl_dsl.verify.methods.goal_encoding import encode_violation
from hl_dsl.verify.methods.interval_stage import IntervalStage
from hl_dsl.verify.smt.encode import FREE, Encoding


def transition_script(flow: Dataflow) -> str:
    """Returns the script, with the program's names in comments."""
    stage = IntervalStage(flow)
    evaluator = Evaluator(stage.index, stage.ranges)
    encoding = Encoding(evaluator, evaluator.root, FREE)
    claims = list_goals(flow)
    roots = [*flow.roots(), *(node for goal in claims for node in goal.nodes)]
    tick = encoding.frame(order_nodes(flow, roots, encoding.ends))
    lines = [
        f"; one tick of the policy {flow.name} for {flow.card.environment}, program {canonical_hash(flow)}",
        "(set-info :smt-lib-version 2.6)",
        "(set-logic ALL)",
        *tick,
        *_names(flow, encoding),
    ]
    for goal in claims:
        bare = goal.obligation is not None and stage.index.without_assumptions(goal.obligation)
        assumed = [] if bare else [f"(assert {encoding.frames[0][node].text})" for node in stage.index.assumes]
        violation = f"(assert {encode_violation(goal, encoding, 0).text})"
        lines += [f"; goal {goal.id}: {goal.says}", "(push 1)", *assumed, violation, "(check-sat)", "(pop 1)"]
    return "\n".join(lines) + "\n"


def _names(flow: Dataflow, encoding: Encoding) -> list[str]:
    """Comments that say which term is which input, parameter, memory cell and component of the action."""
    names = {f"input:{position}": item.name for position, item in enumerate(flow.inputs)}
    names |= {f"parameter:{position}": item.name for position, item in enumerate(flow.parameters)}
    names |= {f"memory:{position}": item.name for position, item in enumerate(flow.memories)}
    lines = [f"; {leaf.split(':')[0]} {names[leaf]} = {term}" for leaf, term in encoding.names(0).items()]
    terms = encoding.frames[0]
    lines += [f"; next {cell.name} = {terms[cell.next].text}" for cell in flow.memories]
    lines += [f"; action[{position}] = {terms[node].text}" for position, node in enumerate(flow.action)]
    return lines
