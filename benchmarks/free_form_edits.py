"""Random edits of the syntax tree of a Python program: the untyped counterpart of the mutations of HL.

First the kind of an edit is drawn, then its place, as in `synth/mutation`. A constant is scaled, moved by one, or
replaced with another number of the program. A name is replaced with another name of the program.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from random import Random

_ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod)
_COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)


def edits(text: str, count: int, seed: int) -> Iterator[tuple[str, str]]:
    """Yields `count` pairs (kind of edit, text). The texts differ from each other and from the program."""
    random = Random(seed)
    seen = {ast.unparse(ast.parse(text))}
    while len(seen) <= count:
        tree = ast.parse(text)
        kind = random.choice(list(KINDS))
        if not KINDS[kind](tree, random):
            continue
        edited = ast.unparse(ast.fix_missing_locations(tree))
        if edited not in seen:
            seen.add(edited)
            yield kind, edited


def _places(tree: ast.AST, *kinds: type) -> list:
    return [node for node in ast.walk(tree) if isinstance(node, kinds)]


def _numbers(tree: ast.AST) -> list[ast.Constant]:
    return [node for node in _places(tree, ast.Constant) if type(node.value) in (int, float)]


def _constant(tree: ast.AST, random: Random) -> bool:
    place = random.choice(_numbers(tree))
    number = place.value
    assert isinstance(number, int | float), "`_numbers` selects these"
    way = random.randrange(3)
    if way == 0:
        value = number * random.uniform(0.5, 1.5)
        place.value = round(value) if type(number) is int else value
    elif way == 1:
        place.value = number + random.choice((-1, 1))
    else:
        place.value = random.choice(_numbers(tree)).value
    return True


def _operator(tree: ast.AST, random: Random) -> bool:
    random.choice(_places(tree, ast.BinOp)).op = random.choice(_ARITHMETIC)()
    return True


def _comparison(tree: ast.AST, random: Random) -> bool:
    random.choice(_places(tree, ast.Compare)).ops[0] = random.choice(_COMPARISONS)()
    return True


def _name(tree: ast.AST, random: Random) -> bool:
    names = _places(tree, ast.Name)
    read = [node for node in names if isinstance(node.ctx, ast.Load)]
    random.choice(read).id = random.choice(sorted({node.id for node in names}))
    return True


def _condition(tree: ast.AST, random: Random) -> bool:
    place = random.choice(_places(tree, ast.If, ast.IfExp, ast.While))
    place.test = ast.UnaryOp(ast.Not(), place.test)
    return True


def _logic(tree: ast.AST, random: Random) -> bool:
    place = random.choice(_places(tree, ast.BoolOp))
    place.op = ast.And() if isinstance(place.op, ast.Or) else ast.Or()
    return True


def _blocks(tree: ast.AST) -> list[list[ast.stmt]]:
    blocks = [getattr(node, name, None) for node in ast.walk(tree) for name in ("body", "orelse")]
    return [
        block
        for block in blocks
        if isinstance(block, list) and block and not any(isinstance(line, ast.FunctionDef) for line in block)
    ]


def _deletion(tree: ast.AST, random: Random) -> bool:
    block = random.choice(_blocks(tree))
    place = random.randrange(len(block))
    block[place : place + 1] = [] if len(block) > 1 else [ast.Pass()]
    return True


def _exchange(tree: ast.AST, random: Random) -> bool:
    blocks = [block for block in _blocks(tree) if len(block) > 1]
    block = random.choice(blocks)
    place = random.randrange(len(block) - 1)
    block[place], block[place + 1] = block[place + 1], block[place]
    return True


KINDS: dict[str, Callable[[ast.AST, Random], bool]] = {
    "constant": _constant,
    "operator": _operator,
    "comparison": _comparison,
    "name": _name,
    "condition": _condition,
    "logic": _logic,
    "deleted statement": _deletion,
    "exchanged statements": _exchange,
}
