"""`hl verify`: prove a policy."""

from __future__ import annotations

from hl_dsl.cli.output import FINDINGS, UNKNOWN, Json, PolicyFile, finish, show


def verify(file: PolicyFile, json: Json = False) -> None:
    """Prove that a policy is well defined and keeps its invariants, for every input, parameter and state in range."""
    from hl_dsl.program import Program

    program = Program.load(file)
    proof = program.prove()
    document = {"schema": "hl.verify/1", "policy": program.name, "program_hash": program.hash, "env": program.card.environment, **proof.to_json()}
    show(document, proof.render(program.source), json)
    finish(verdict_code(proof))


def verdict_code(proof) -> int:
    """0 proved, 1 something is refuted, 3 something is not known."""
    if proof.passed:
        return 0
    statuses = {result.status for result in proof.results}
    return FINDINGS if statuses & {"violated", "ill-defined", "vacuous", "not inductive"} else UNKNOWN
