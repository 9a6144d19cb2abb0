"""Throughput of screening: mutated policies a second on one core.

    python benchmarks/screening.py [--json]

Mutants are distinct, well typed, and differ from their parent in structural hash. From text: parse, check, lower, hash,
and prove by intervals, without caches. In memory: the same without parsing and with the caches of a search
(`DeclarationCache`, `SearchCache`); the mutation is part of the time.
"""

import argparse
import json
import time
from pathlib import Path
from random import Random
from typing import Any

from hl_dsl.base.errors import HLError
from hl_dsl.language.incremental import DeclarationCache
from hl_dsl.program import Program
from hl_dsl.synth.mutation import Subject, mutate
from hl_dsl.verify import SearchCache, screen

ROOT = Path(__file__).parent.parent
POLICIES = ("policies/breakout/ram.hl", "benchmarks/controller.hl", "policies/breakout/start.hl")
MUTANTS = 300
# Mutants a second.
TARGETS = {"text": 50.0, "memory": 200.0}


def mutants(program: Program, count: int) -> list[Program]:
    """Returns programs with one mutation and distinct hashes."""
    subject, draw = Subject(program), Random(0)
    programs: dict[str, Program] = {program.hash: program}
    while len(programs) <= count:
        made = mutate(subject, draw)
        try:
            changed = None if made is None else Program.from_syntax(made.policy, card=program.card)
            if changed is not None:
                programs.setdefault(changed.hash, changed)
        except HLError:
            pass
    return list(programs.values())[1:]


def from_text(program: Program) -> dict[str, float]:
    """Screens mutants from their text, without caches."""
    texts = [mutant.text for mutant in mutants(program, MUTANTS)]
    start = time.process_time()
    passed = 0
    for text in texts:
        again = Program.parse(text)
        assert again.hash
        passed += screen(again.flow).passed
    seconds = time.process_time() - start
    return {"a_second": len(texts) / seconds, "passed": passed / len(texts)}


def in_memory(program: Program) -> dict[str, float]:
    """Mutates and screens with the caches of a search."""
    memo, reuse = SearchCache(), DeclarationCache()
    program = Program.from_syntax(program.syntax, card=program.card, reuse=reuse)
    subject, draw = Subject(program), Random(0)
    seen, passed, proof_seconds = {program.hash}, 0, 0.0
    screen(program.flow, memo)
    start = time.process_time()
    while len(seen) <= MUTANTS:
        made = mutate(subject, draw)
        try:
            changed = None if made is None else Program.from_syntax(made.policy, card=program.card, reuse=reuse)
            if changed is None or changed.hash in seen:
                continue
        except HLError:
            continue
        seen.add(changed.hash)
        proof_start = time.process_time()
        passed += screen(changed.flow, memo).passed
        proof_seconds += time.process_time() - proof_start
    seconds = time.process_time() - start
    return {"a_second": MUTANTS / seconds, "passed": passed / MUTANTS, "proof_ms": 1000 * proof_seconds / MUTANTS}


def main(as_json: bool = False) -> None:
    """Runs the benchmark and prints the result."""
    rows: list[dict[str, Any]] = []
    for name in POLICIES:
        program = Program.load(ROOT / name)
        cold = time.process_time()
        for _ in range(10):
            screen(program.flow)
        cold = (time.process_time() - cold) / 10
        for kind, measure in (("text", from_text), ("memory", in_memory)):
            rows.append(
                {
                    "policy": name,
                    "nodes": len(program.flow.nodes),
                    "from": kind,
                    "target": TARGETS[kind],
                    "cold_proof_ms": 1000 * cold,
                    **measure(program),
                }
            )
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    print(f"screening {MUTANTS} distinct mutants of each policy, CPU time of one core")
    for row in rows:
        proof = (
            f", proof {row['proof_ms']:.2f} ms" if "proof_ms" in row else f", cold proof {row['cold_proof_ms']:.1f} ms"
        )
        print(
            f"  {row['policy']:<30} {row['nodes']:>4} nodes, from {row['from']:<6}: {row['a_second']:6.0f} a second "
            f"(target {row['target']:.0f}); {100 * row['passed']:.0f} % proved{proof}"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", action="store_true")
    main(parser.parse_args().json)
