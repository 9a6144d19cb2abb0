"""Evaluation of one program (`hl eval`): proof, rollout, and the record of the trial."""
