"""`hl new`: a folder to work in, with a policy to begin from."""

from __future__ import annotations

import re
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from hl_dsl.base.errors import HLError
from hl_dsl.cli.output.documents import Json, show

_MOST_NAMED = 4  # observations with names of their own make the whole vector superfluous


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
    """Create a folder to work in: a policy that runs, and what an agent must know."""
    from hl_dsl.base.files import storage_problem, write_whole
    from hl_dsl.cards import load_card
    from hl_dsl.program import Program
    from hl_dsl.synth.proposers.agents.policy_folder import policy_folder_files

    folder = Path(name)
    _refuse_bad_name(folder.name)
    card = load_card(env)
    path = folder / "policy.hl"
    texts = {path: Program.parse(template(folder.name, card), str(path)).text}
    texts |= {folder / part: text for part, text in policy_folder_files(folder.name, card).items()}
    try:
        for one in texts:
            one.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problem, hint = storage_problem(error)
        raise HLError(f"cannot create the folder {folder}: {problem}", hint) from None
    for one in texts:
        if one.exists():
            raise HLError(f"{one} exists already", "choose another name, or move that file away first")
    for one, text in texts.items():
        write_whole(one, text.encode())
    file = quote(str(path))
    then = [
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
            "files": [str(one) for one in texts],
            "env": env,
            "next": then,
        },
        "\n".join([*(f"wrote {one}" for one in texts), "next:", *(f"  {command}" for command in then)]),
        json,
    )


def template(name: str, card) -> str:
    """The smallest policy for an environment: it observes all there is and does one thing. Its comments say what to write."""
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
        hint = [
            f"The action is {'a number' if card.action.size == 1 else f'{card.action.size} numbers'}, computed from what is observed: {parts}."
        ]
        act = f"act {middle[0]}" if card.action.size == 1 else f"act [{', '.join(map(repr, middle))}]"
    comments = "".join(f"  # {line}\n" for line in hint)
    return f'# {card.says}\npolicy {name} for "{card.environment}" {{\n  observe {observed}\n\n{comments}  {act}\n}}\n'


def _refuse_bad_name(name: str) -> None:
    from hl_dsl.grammar.tree.keywords import reserved_words

    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise HLError(f"`{name}` cannot name a policy", "use letters, digits and `_`, a letter first")
    if name in reserved_words():
        raise HLError(
            f"`{name}` is a word of the language, and cannot name a policy", f"choose another name, such as `{name}_`"
        )
