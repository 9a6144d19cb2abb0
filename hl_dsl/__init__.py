"""HL: a small controller language, and the tools that check, prove, compile, run and improve its programs.

`Program` is a policy, `Policy` its batched compiled form, `Proof` and `Trial` are results, `Study` a search. Each is
imported when it is first asked for, so that `import hl_dsl` costs nothing.
"""

from importlib import import_module

_PUBLIC = {
    "Program": "hl_dsl.program",
    "Policy": "hl_dsl.compiler.policy",
    "Proof": "hl_dsl.verify",
    "Trial": "hl_dsl.synth.runs.trial",
    "Study": "hl_dsl.synth.search.study",
    "HLError": "hl_dsl.base.errors",
    "ProgramError": "hl_dsl.base.diagnostics",
}
__all__ = list(_PUBLIC)


def __getattr__(name: str):
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
