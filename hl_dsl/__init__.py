"""HL, a small controller language: the front door.

`pipeline.py` lists the stages from text to what runs, `program.py` holds one policy; the names below are loaded on
first use.
"""

from hl_dsl.base.lazy_exports import lazy_exports

__all__ = ["HLError", "Policy", "Program", "ProgramError", "Proof", "Study", "Trial"]

__getattr__ = lazy_exports(
    __name__,
    {
        "Program": "hl_dsl.program",
        "Policy": "hl_dsl.compiler.policy",
        "Proof": "hl_dsl.verify",
        "Trial": "hl_dsl.synth.runs.trial",
        "Study": "hl_dsl.synth.search.study",
        "HLError": "hl_dsl.base.errors",
        "ProgramError": "hl_dsl.base.diagnostics",
    },
)
