"""Reserved words of the language, and the text of its grammar."""

from importlib.resources import files

# `see` and `routine` are kept for constructs still to come, so that a program written today parses then.
RESERVED = frozenset(
    "policy for observe assume see param let memory next modes start when otherwise act plan routine invariant"
    " monitor and or not implies if then else in true false never within of after until reachable each final".split()
)


def grammar_text() -> str:
    """The Lark source of the grammar."""
    return files("hl_dsl.grammar").joinpath("hl.lark").read_text(encoding="utf-8")
