"""Typed mutations of programs: what the search without a network proposes."""

from hl_dsl.synth.mutation.recorded_values import Columns, RecordedValues
from hl_dsl.synth.mutation.draft import Draft, Subject
from hl_dsl.synth.mutation.mutate import CROSSOVERS, MUTATIONS, Mutant, Mutation, cross, mutate

__all__ = ["CROSSOVERS", "MUTATIONS", "Columns", "Draft", "Mutant", "Mutation", "Subject", "Values", "cross", "mutate"]
