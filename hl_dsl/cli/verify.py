"""`hl verify`: prove a policy."""

from __future__ import annotations

from typing import Annotated

import typer

from hl_dsl.cli.output import Json, PolicyFile, finish, show


def verify(
    file: PolicyFile,
    cache: Annotated[bool, typer.Option("--cache/--no-cache", help="Use solver answers kept from earlier proofs, and keep the new ones.")] = True,
    json: Json = False,
) -> None:
    """Prove a policy well defined and its invariants true.

    The proof holds for every input, parameter and state in range.
    """
    from hl_dsl.program import Program
    from hl_dsl.verify import Cache

    program = Program.load(file)
    kept = Cache.of_user() if cache else None
    proof = program.prove(cache=kept)
    if kept is not None:
        kept.close()
        if kept.note:
            typer.echo(f"note: {kept.note}", err=True)
    found = proof.to_json()
    obligations = found.pop("results")
    document = {
        "schema": "hl.verify/1", "policy": program.name, "program_hash": program.hash, "env": program.card.environment,
        **found, "exit_code": proof.exit_code, "obligations": obligations,
    }
    show(document, proof.render(program.source), json)
    finish(proof.exit_code)
