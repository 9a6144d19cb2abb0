"""Folders of the project that tests read."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
POLICIES = ROOT / "policies"
BENCHMARKS = ROOT / "benchmarks"
GOLDEN = ROOT / "tests" / "golden"
DIAGNOSTICS = GOLDEN / "diagnostics"
VERDICTS = GOLDEN / "verdicts"
LATE = GOLDEN / "late"
SUPPORT = ROOT / "tests" / "support"
