"""`hl new`: a folder with a policy to begin from."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from hl_dsl.cli.output import Json, show
from hl_dsl.diagnostics import HLError


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The folder to create; its last part names the policy.", show_default=False)],
    env: Annotated[str, typer.Option("--env", help="The environment, such as Breakout-v5.", show_default=False)],
    json: Json = False,
) -> None:
    """Create a folder with a policy that checks, proves and runs, to be made better."""
    from hl_dsl.cards import load_card
    from hl_dsl.program import Program
    from hl_dsl.synth.storage import write_whole

    folder = Path(name)
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", folder.name):
        raise HLError(f"`{folder.name}` cannot name a policy", "use letters, digits and `_`, a letter first")
    card = load_card(env)
    text = Program.parse(template(folder.name, card), str(folder / "policy.hl")).text
    path = folder / "policy.hl"
    if path.exists():
        raise HLError(f"{path} exists already", "choose another name, or delete it first")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HLError(f"cannot create {folder}: {error.strerror}", "choose another place") from None
    write_whole(path, text.encode())
    show({"schema": "hl.new/1", "policy": str(path), "env": env},
         f"wrote {path}\nnext: hl env {env}; hl verify {path}; hl eval {path}; hl synth {path}", json)


def template(name: str, card) -> str:
    """The smallest policy for an environment: it observes all there is and does one thing."""
    observed = ", ".join(field for field in card.fields if not (field == "obs" and len(card.fields) > 4))
    if card.action.names:
        act = f"act {{ otherwise => {card.action.names[0]} }}"
    else:
        middle = [(low + high) / 2 for low, high in zip(card.action.low, card.action.high)]
        act = f"act {middle[0]}" if card.action.size == 1 else f"act [{', '.join(map(repr, middle))}]"
    names = f" Actions: {', '.join(card.action.names)}." if card.action.names else ""
    return f'# {card.says}{names}\npolicy {name} for "{card.environment}" {{\n  observe {observed}\n\n  {act}\n}}\n'
