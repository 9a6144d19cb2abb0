"""Typed mutation of programs: edits of constants, expressions, rules and modes that keep a program well formed."""

from hl_dsl.synth.mutation.draft import Draft, Subject
from hl_dsl.synth.mutation.mutate import CROSSOVERS, MUTATIONS, Mutant, Mutation, cross, mutate
from hl_dsl.synth.mutation.recorded_values import Columns, RecordedValues

__all__ = [
    "CROSSOVERS",
    "MUTATIONS",
    "Columns",
    "Draft",
    "Mutant",
    "Mutation",
    "RecordedValues",
    "Subject",
    "cross",
    "mutate",
]
