"""Signal correspondence: memory cells of one program that equal a value of the other, guessed from runs, then proved.

Values with the same bits at every tick of many runs are guessed to be always equal (van Eijk, "Sequential Equivalence
Checking Based on Structural Similarities", 2000). A cell may equal an expression over the other program's memory: a
program that keeps `previous(x + 1, 1)` is matched with one that adds the 1 later.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from hl_dsl.compiler.backends.interpreter import Interpreter
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.verify.equivalence.product import Product, SideCell
from hl_dsl.verify.goals.graph_index import GraphIndex
from hl_dsl.verify.simulation.input_sampling import InputRow, Sampler
from hl_dsl.verify.simulation.replay import SimulatedRun

_EPISODES, _TICKS = 6, 32


class JointSimulation(NamedTuple):
    """Result of a simulation of both programs.

    Attributes:
        run: A run at whose last tick the actions differ, if one was found.
        signatures: For each joint node, the bits of its values at all ticks; empty if a run was found.
    """

    run: SimulatedRun | None
    signatures: list[bytes]


@dataclass
class Correspondence:
    """Guesses about memory cells.

    Attributes:
        links: Cells that are replaced, each by a node of the other program (side, node).
        equal: Pairs of cells that must be proved equal by other means.
    """

    links: dict[SideCell, tuple[int, int]] = field(default_factory=dict)
    equal: list[tuple[SideCell, SideCell]] = field(default_factory=list)


def simulate_jointly(joint: Product, episodes: int = _EPISODES, ticks: int = _TICKS) -> JointSimulation:
    """Runs both programs on the same random episodes."""
    flow = joint.flow
    index = GraphIndex(flow)
    ticks_seen: list[Sequence[int | float]] = []
    same = flow.properties[0].node
    for episode in range(episodes):
        sampler = Sampler(index, random.Random(episode))
        interpreter = Interpreter(flow, sampler.parameters)
        rows: list[InputRow] = []
        for _ in range(ticks):
            row = sampler.draw(interpreter.memory)
            assert row is not None  # a joint program has no assumptions
            rows.append(row)
            values = interpreter.tick(row).values
            if not values[same]:
                return JointSimulation(SimulatedRun(sampler.parameters, tuple(rows)), [])
            ticks_seen.append(values)
    return JointSimulation(None, [_bits(row) for row in zip(*ticks_seen)])


def _varies_with_input(flow: Dataflow) -> list[bool]:
    """Returns, for each node, whether it depends on inputs or parameters.

    The simulation may not have drawn all values of a parameter, so an equality of such a node would not be known to
    hold at the start of an episode.
    """
    dependent: list[bool] = []
    for node in flow.nodes:
        dependent.append(node.op in ("input", "parameter") or any(dependent[arg] for arg in node.args))
    return dependent


def _bits(row: Sequence[int | float]) -> bytes:
    return b"".join(struct.pack("<d", value) if type(value) is float else repr(value).encode() + b"," for value in row)


def guess_correspondence(
    joint: Product, flows: tuple[Dataflow, Dataflow], signatures: Sequence[bytes]
) -> Correspondence:
    """Guesses replacements for B's cells by values that A computes from its memory, then for A's remaining cells.

    Args:
        joint: The joint program.
        flows: A and B.
        signatures: Result of the simulation.
    """
    guesses = Correspondence()
    varying = _varies_with_input(joint.flow)
    by_bits: tuple[dict[tuple[str, bytes], int], dict[tuple[str, bytes], int]] = ({}, {})
    for side in (0, 1):
        # Cells first, then early nodes, so that the simplest expression is taken.
        own = sorted(joint.nodes[side].items(), key=lambda pair: (flows[side].nodes[pair[0]].op != "memory", pair[0]))
        for number, there in own:
            node = flows[side].nodes[number]
            if not varying[there] and node.op != "constant":
                by_bits[side].setdefault((node.base, signatures[there]), number)
    kept: set[SideCell] = set()
    for side in (1, 0):
        other = 1 - side
        for position, cell in enumerate(flows[side].memories):
            place = SideCell(side, position)
            leaf = joint.flow_leaf(place)
            partner = None if leaf is None else by_bits[other].get((cell.base, signatures[leaf]))
            if partner is None or place in kept:
                continue
            used = {
                SideCell(other, flows[other].nodes[number].position)
                for number in flows[other].reachable([partner])
                if flows[other].nodes[number].op == "memory"
            }
            if used & guesses.links.keys():
                continue
            guesses.links[place] = (other, partner)
            kept |= used
    return guesses
