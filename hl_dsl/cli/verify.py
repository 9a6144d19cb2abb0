"""`hl verify`: prove a policy."""

from __future__ import annotations

from hl_dsl.cli.output import Json, PolicyFile, finish, show


def verify(file: PolicyFile, json: Json = False) -> None:
    """Prove a policy well defined and its invariants true.

    The proof holds for every input, parameter and state in range.
    """
    from hl_dsl.program import Program

    program = Program.load(file)
    proof = program.prove()
    found = proof.to_json()
    obligations = found.pop("results")
    document = {
        "schema": "hl.verify/1", "policy": program.name, "program_hash": program.hash, "env": program.card.environment,
        **found, "exit_code": proof.exit_code, "obligations": obligations,
    }
    show(document, proof.render(program.source), json)
    finish(proof.exit_code)
