"""Equivalence of generated programs: the result agrees with runs, and does not depend on the order."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hl_dsl.program import Program
from hl_dsl.verify import ProofLimits
from hl_dsl.verify.equivalence.comparison import EquivalenceStatus
from hl_dsl.verify.equivalence.correspondence import simulate_jointly
from hl_dsl.verify.equivalence.difference import trace_difference
from hl_dsl.verify.equivalence.equivalence import compare, same_actions
from hl_dsl.verify.equivalence.product import build_product
from tests.support.generators.programs import programs
from tests.verify.equivalence.pairs import (
    CART,
    X,
    Y,
    Z,
    assert_replays,
    lean,
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data(), a=programs(), b=programs())
def test_status_of_generated_programs_agrees_with_runs(data, a, b):
    """A program equals itself. Equal programs act the same in all runs drawn; others have a replayed run."""
    assert compare(a.flow, a.flow).status == EquivalenceStatus.IDENTICAL
    if a.card.environment != b.card.environment:
        return
    found = compare(a.flow, b.flow, ProofLimits(solver_steps=20_000, depths=(0,), bounded_depths=(0, 0), lanes=0))
    if found.run is not None:
        trace = trace_difference(a.flow, b.flow, found)
        assert trace[-1]["A"]["action"] != trace[-1]["B"]["action"]


SUMS = st.recursive(
    st.sampled_from((X, Y, Z, "kept", "g", "0.25")),
    lambda inner: st.one_of(
        st.builds("({} + {})".format, inner, inner),
        st.builds("({} - {})".format, inner, inner),
        st.builds("({} * {})".format, inner, inner),
        st.builds("(-{})".format, inner),
        st.builds("(-(-{}))".format, inner),
        st.builds("min({}, {})".format, inner, inner),
        st.builds("(if {} > 0.1 then {} else {})".format, inner, inner, inner),
    ),
    max_leaves=4,
)


@st.composite
def pairs_of_programs(draw):
    """Draws two programs over one expression. In the second, some terms are rewritten and round differently."""
    text = other = f"({X} + {draw(SUMS)} + {Y})"
    for old, new in draw(
        st.lists(
            st.sampled_from(
                (
                    (X, f"min({X}, 100)"),
                    (Y, f"(if {Y} > 1000 then 0 else {Y})"),
                    (X, f"(-(-{X}))"),
                    (Y, f"({Y} * 1)"),
                    (Z, f"({Z} + 0)"),
                    ("kept", "(kept + kept - kept)"),
                    (" + ", " - -"),
                    (" - ", " + -"),
                    ("min(", "0 + min("),
                    ("0.25", "0.3"),
                    (" * ", " + "),
                    ("kept", "(-(-kept))"),
                )
            ),
            min_size=1,
            max_size=3,
            unique=True,
        )
    ):
        other = other.replace(old, new)
    following = draw(st.sampled_from((X, "kept", f"0.5 * kept + 0.5 * {X}")))
    heads = [
        f"param g: real = 0.5 in [0, {draw(st.sampled_from((1, 2)))}] memory kept: real in [-5, 5] = 0 "
        f"{{ next = clamp({next_}, -5, 5) }} "
        for next_ in (following, draw(st.sampled_from((following, f"-(-({following}))"))))
    ]
    return tuple(Program.parse(CART.format(lean(body, head))).flow for head, body in zip(heads, (text, other)))


ORDER = ProofLimits(
    boxes=20, solver_steps=20_000, depths=(0,), bounded_depths=(2, 2), bounded_steps=20_000, lanes=0, components=False
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(pair=pairs_of_programs())
def test_status_does_not_depend_on_the_order(pair):
    """The status is the same in both orders, and so is whether a run distinguishes the programs."""
    a, b = pair
    one, other = compare(a, b, ORDER), compare(b, a, ORDER)
    assert one.status == other.status
    assert same_actions(a, b) == same_actions(b, a)
    if one.run is not None:
        forward, backward = trace_difference(a, b, one), trace_difference(b, a, other)
        assert_replays(a, b, one)
        assert_replays(b, a, other)
        assert [tick["inputs"] for tick in forward] == [tick["inputs"] for tick in backward]
        assert [(tick["A"]["action"], tick["B"]["action"]) for tick in forward] == [
            (tick["B"]["action"], tick["A"]["action"]) for tick in backward
        ]


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data(), a=programs())
def test_status_of_generated_programs_does_not_depend_on_the_order(data, a):
    b = data.draw(programs(cards=(a.card,)))
    limits = ProofLimits(solver_steps=20_000, depths=(0,), bounded_depths=(0, 0), lanes=0)
    one, other = compare(a.flow, b.flow, limits), compare(b.flow, a.flow, limits)
    assert one.status == other.status and (one.run is None) == (other.run is None)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data(), program=programs(wild=False))
def test_changed_literal_is_never_equal_if_a_run_differs(data, program):
    """One literal of the graph is changed. Programs with the status equal act the same on random ticks."""
    flow = program.flow
    literals = [
        number for number, node in enumerate(flow.nodes) if node.op == "constant" and node.base in ("real", "int")
    ]
    if not literals:
        return
    number = data.draw(st.sampled_from(literals))
    nodes = list(flow.nodes)
    nodes[number] = nodes[number]._replace(value=nodes[number].value + data.draw(st.sampled_from((1, -1, 3))))
    other = replace(flow, nodes=nodes)
    if same_actions(flow, other):
        joint = build_product(flow, other)
        assert simulate_jointly(joint, episodes=60, ticks=12).run is None
