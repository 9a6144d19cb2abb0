"""Pairs of programs with the status of their comparison."""

from __future__ import annotations

from hl_dsl.compiler.backends.interpreter import Interpreter
from hl_dsl.program import Program
from hl_dsl.verify import ProofLimits
from hl_dsl.verify.equivalence.comparison import EquivalenceStatus
from hl_dsl.verify.equivalence.difference import list_used_inputs, render_difference, trace_difference
from hl_dsl.verify.equivalence.equivalence import compare

CART = 'policy p for "CartPole-v1" {{ observe cart.position, cart.velocity, pole.angle {} }}'
PENDULUM = 'policy p for "Pendulum-v1" {{ observe pole.cos, pole.sin {} }}'
BREAKOUT = 'policy p for "Breakout-v5" {{ observe ram, reward {} }}'
LIMITS = ProofLimits(solver_steps=200_000, bounded_steps=100_000, lanes=64, ticks=100)

COUNT = "memory {0}: int in [0, 9] = 0 {{ next = min({0} + 1, 9) }} "
FIRE = "act {{ when {} > 3 => FIRE otherwise => NOOP }}"


def lean(expression: str, more: str = "") -> str:
    return more + "act { when " + expression + " > 0.3 => LEFT otherwise => RIGHT }"


X, Y, Z = "cart.position", "cart.velocity", "pole.angle"

BATTERY = [
    ("a let that nothing uses", CART, lean(X), "let q = 1 " + lean(X), EquivalenceStatus.IDENTICAL),
    (
        "operands that commute",
        CART,
        lean(f"{X} * ({Y} + {Z})"),
        lean(f"({Z} + {Y}) * {X}"),
        EquivalenceStatus.IDENTICAL,
    ),
    (
        "memory by another name",
        BREAKOUT,
        COUNT.format("m") + FIRE.format("m"),
        COUNT.format("k") + FIRE.format("k"),
        EquivalenceStatus.IDENTICAL,
    ),
    (
        "a product over a sum",
        CART,
        lean(f"{X} * ({Y} + {Z})"),
        lean(f"{X} * {Y} + {X} * {Z}"),
        EquivalenceStatus.DIFFERENT,
    ),
    (
        "a sum in another order",
        CART,
        lean(f"({X} + {Y}) + {Z}"),
        lean(f"{X} + ({Y} + {Z})"),
        EquivalenceStatus.DIFFERENT,
    ),
    ("a difference of a value with itself", CART, lean(f"{X} - {X} + {Y}"), lean(Y), EquivalenceStatus.EQUAL_REALS),
    ("what is added and taken off again", CART, lean(f"{X} + {Y} - {X}"), lean(Y), EquivalenceStatus.DIFFERENT),
    (
        "min the other way round, compared",
        CART,
        lean(f"min({X}, {Y})"),
        lean(f"min({Y}, {X})"),
        EquivalenceStatus.EQUAL,
    ),
    (
        "min the other way round, as a torque",
        PENDULUM,
        "act min(pole.sin, pole.cos)",
        "act min(pole.cos, pole.sin)",
        EquivalenceStatus.EQUAL,
    ),
    (
        "min the other way round, where the sign of a zero counts",
        PENDULUM,
        "act clamp(atan2(min(pole.sin, 0), -1), -2, 2)",
        "act clamp(atan2(min(0, pole.sin), -1), -2, 2)",
        EquivalenceStatus.DIFFERENT,
    ),
    (
        "one more memory",
        BREAKOUT,
        COUNT.format("m") + FIRE.format("m"),
        COUNT.format("k") + COUNT.format("j") + FIRE.format("k"),
        EquivalenceStatus.EQUAL,
    ),
    (
        "a counter with more room than it takes",
        BREAKOUT,
        COUNT.format("m") + FIRE.format("m"),
        COUNT.format("m").replace("[0, 9]", "[0, 99]") + FIRE.format("m"),
        EquivalenceStatus.EQUAL,
    ),
    (
        "a counter that stops too early",
        BREAKOUT,
        COUNT.format("m") + FIRE.format("m"),
        COUNT.format("m").replace("9", "3") + FIRE.format("m"),
        EquivalenceStatus.DIFFERENT,
    ),
    (
        "a counter that starts later",
        BREAKOUT,
        COUNT.format("m") + FIRE.format("m"),
        COUNT.format("m").replace("= 0", "= 1") + FIRE.format("m"),
        EquivalenceStatus.DIFFERENT,
    ),
    (
        "a dead rule",
        BREAKOUT,
        "act { when ram[1] > 10 => FIRE when ram[1] > 20 => LEFT otherwise => NOOP }",
        "act { when ram[1] > 10 => FIRE otherwise => NOOP }",
        EquivalenceStatus.EQUAL,
    ),
    (
        "a rule that is hardly ever reached",
        BREAKOUT,
        "act { when ram[1] > 10 => FIRE when ram[1] == 10 and ram[2] == 77 and ram[3] == 5 => LEFT otherwise => NOOP }",
        "act { when ram[1] > 10 => FIRE otherwise => NOOP }",
        EquivalenceStatus.DIFFERENT,
    ),
    (
        "previous before and after a sum",
        CART,
        lean(f"previous({X} + 1, 1)"),
        lean(f"previous({X}, 0) + 1"),
        EquivalenceStatus.EQUAL,
    ),
    (
        "the same with another start",
        CART,
        lean(f"previous({X} + 1, -1)"),
        lean(f"previous({X}, 0) + 1"),
        EquivalenceStatus.DIFFERENT,
    ),
    (
        "conditions turned over",
        BREAKOUT,
        "act { when not (ram[1] > 3 and ram[2] > 5) => FIRE otherwise => NOOP }",
        "act { when ram[1] <= 3 or ram[2] <= 5 => FIRE otherwise => NOOP }",
        EquivalenceStatus.EQUAL,
    ),
    (
        "modes written as memory",
        BREAKOUT,
        "modes { start a { act FIRE when ram[1] > 3 -> b } b { act LEFT when ram[2] > 3 -> a } }",
        "memory busy: bool = false { next = now } let now = if busy then not (ram[2] > 3) else ram[1] > 3 act { when "
        "now => LEFT otherwise => FIRE }",
        EquivalenceStatus.EQUAL,
    ),
    (
        "other ranges that clamp",
        'policy p for "CartPole-v1" {{ observe cart.position in {} act {{ when cart.position > 0.5 => LEFT otherwise '
        "=> RIGHT }} }}",
        "[-1, 1]",
        "[-0.4, 0.4]",
        EquivalenceStatus.DIFFERENT,
    ),
    (
        "other ranges, and it does not matter",
        'policy p for "CartPole-v1" {{ observe cart.position in {} act {{ when cart.position > 0.25 => LEFT '
        "otherwise => RIGHT }} }}",
        "[-1, 1]",
        "[-0.4, 0.4]",
        EquivalenceStatus.EQUAL,
    ),
    (
        "another default",
        CART,
        lean(f"{X} + g", "param g: real = 0.5 in [0, 1] "),
        lean(f"{X} + g", "param g: real = 0.25 in [0, 1] "),
        EquivalenceStatus.DIFFERENT,
    ),
    (
        "a parameter by another name",
        CART,
        lean(f"{X} + g", "param g: real = 0.5 in [0, 1] invariant i: g > -1 "),
        lean(f"{X} + h", "param h: real = 0.5 in [0, 1] "),
        EquivalenceStatus.EQUAL,
    ),
    (
        "a wider range of a parameter",
        CART,
        lean(f"{X} + g", "param g: real = 0.5 in [0, 1] "),
        lean(f"{X} + g", "param g: real = 0.5 in [0, 2] "),
        EquivalenceStatus.EQUAL,
    ),
    (
        "a start that is equal for one value of a parameter",
        BREAKOUT,
        "param flag: bool = true memory m: int in [0, 300] = 0 { next = ram[1] } act { when (if flag then m + 5 else "
        "m) > 4 => FIRE otherwise => NOOP }",
        "param flag: bool = true memory k: int in [0, 305] = 5 { next = if flag then ram[1] + 5 else ram[1] } act { "
        "when k > 4 => FIRE otherwise => NOOP }",
        EquivalenceStatus.DIFFERENT,
    ),
    (
        "a value negated twice",
        'policy p for "CartPole-v1" {{ observe pole.angle, pole.velocity act {{ when {} > 0.1 => RIGHT otherwise => '
        "LEFT }} }}",
        "pole.angle + pole.velocity",
        "pole.angle + -(-pole.velocity)",
        EquivalenceStatus.EQUAL,
    ),
    (
        "a parameter in place of a literal",
        CART,
        lean(f"{X} + g", "param g: real = 0.5 in [0, 1] "),
        lean(f"{X} + 0.5"),
        EquivalenceStatus.DIFFERENT,
    ),
]


def compared(head: str, a: str, b: str):
    first, second = Program.parse(head.format(a)), Program.parse(head.format(b))
    return first.flow, second.flow, compare(first.flow, second.flow, LIMITS)


def assert_replays(first, second, found):
    """Checks the run by an interpreter of each program: the actions differ at the last tick and not before."""
    trace = trace_difference(first, second, found)
    assert [tick["A"]["action"] == tick["B"]["action"] for tick in trace] == [True] * (len(trace) - 1) + [False]
    for side, flow in (("A", first), ("B", second)):
        interpreter = Interpreter(flow, trace[0]["parameters"][side])
        names = flow.card.action.names
        for tick in trace:
            done = interpreter.tick([tick["inputs"][entry.name] for entry in flow.inputs]).action
            assert (names[done[0]] if names else done[0] if len(done) == 1 else list(done)) == tick[side]["action"]
    assert "A " in render_difference(trace, list_used_inputs(found))
