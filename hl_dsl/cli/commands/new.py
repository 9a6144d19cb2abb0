"""`hl new`: a folder for a new policy."""

from __future__ import annotations

import re
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from hl_dsl.base.errors import HLError
from hl_dsl.cli.output.documents import Json, show

if TYPE_CHECKING:
    from hl_dsl.cards import Card

_MOST_NAMED = 4  # with more named observations, the template does not observe the whole vector too


def new(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="The folder to create; its last part names the policy.", show_default=False
        ),
    ],
    env: Annotated[str, typer.Option("--env", help="The environment, such as Breakout-v5.", show_default=False)],
    json: Json = False,
) -> None:
    """Create a folder with a policy that runs, and instructions for an agent."""
    from hl_dsl.base.files import storage_problem, write_whole
    from hl_dsl.cards import load_card
    from hl_dsl.program import Program
    from hl_dsl.synth.proposers.agents.policy_folder import policy_folder_files

    folder = Path(name)
    _check_name(folder.name)
    card = load_card(env)
    path = folder / "policy.hl"
    texts = {path: Program.parse(template(folder.name, card), str(path)).text}
    texts |= {folder / part: text for part, text in policy_folder_files(folder.name, card).items()}
    try:
        for target in texts:
            target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problem, hint = storage_problem(error)
        raise HLError(f"cannot create the folder {folder}: {problem}", hint) from None
    for target in texts:
        if target.exists():
            raise HLError(f"{target} exists already", "choose another name, or move that file first")
    for target, text in texts.items():
        write_whole(target, text.encode())
    file = quote(str(path))
    commands = [
        f"hl env {quote(env)}",
        f"hl verify {file}",
        f"hl eval {file}",
        f"hl synth {file} --run {quote(str(folder / 'run'))}",
    ]
    show(
        {
            "schema": "hl.new/1",
            "policy": folder.name,
            "file": path,
            "files": [str(target) for target in texts],
            "env": env,
            "next": commands,
        },
        "\n".join([*(f"wrote {target}" for target in texts), "next:", *(f"  {command}" for command in commands)]),
        json,
    )


def template(name: str, card: Card) -> str:
    """Returns the smallest policy for an environment, with comments that explain what to write.

    It observes everything and always does the same.
    """
    observed = ", ".join(field for field in card.fields if not (field == "obs" and len(card.fields) > _MOST_NAMED))
    if card.action.names:
        first, last = card.action.names[0], card.action.names[-1]
        hint = [
            f"Actions: {', '.join(card.action.names)}. The first rule whose condition holds acts:",
            f"act {{ when CONDITION => {last}  otherwise => {first} }}",
        ]
        act = f"act {{ otherwise => {card.action.names[0]} }}"
    else:
        middle = [(low + high) / 2 for low, high in zip(card.action.low, card.action.high)]
        ranges = [f"{low:g} to {high:g}" for low, high in zip(card.action.low, card.action.high)]
        parts = f"each {ranges[0]}" if len(set(ranges)) == 1 < len(ranges) else ", ".join(ranges)
        numbers = "a number" if card.action.size == 1 else f"{card.action.size} numbers"
        hint = [f"The action is {numbers}, computed from the observations: {parts}."]
        act = f"act {middle[0]}" if card.action.size == 1 else f"act [{', '.join(map(repr, middle))}]"
    comments = "".join(f"  # {line}\n" for line in hint)
    return f'# {card.says}\npolicy {name} for "{card.environment}" {{\n  observe {observed}\n\n{comments}  {act}\n}}\n'


def _check_name(name: str) -> None:
    from hl_dsl.grammar.tree.keywords import reserved_words

    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise HLError(f"`{name}` cannot be the name of a policy", "use letters, digits and `_`, a letter first")
    if name in reserved_words():
        raise HLError(
            f"`{name}` is a reserved word, so it cannot be the name of a policy",
            f"choose another name, such as `{name}_`",
        )
