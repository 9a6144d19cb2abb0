"""Certificates as files: one SMT-LIB script for each query, and an index."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hl_dsl.base.errors import HLError
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.compiler.ir.structural_hash import canonical_hash
from hl_dsl.verify.goals.statuses import describe_assumptions
from hl_dsl.verify.smt.solver import UNSAT

SCHEMA = "hl.certificate/1"
INDEX = "index.json"


@dataclass(frozen=True)
class CertificateQuery:
    """A script that must be unsatisfiable.

    Attributes:
        goal: Id of the goal.
        part: "step" (the goal at the last of depth + 1 consecutive ticks, the hypotheses holding at the others) or
            "base" (the goal at tick `tick` of an episode).
        depth: Depth of the induction.
        tick: Tick of the base.
        lines: SMT-LIB commands.
    """

    goal: str
    part: str
    depth: int
    tick: int
    lines: tuple[str, ...]

    @property
    def file(self) -> str:
        """Name of the script's file."""
        name = re.sub(r"[^A-Za-z0-9_]+", "-", self.goal).strip("-")
        return f"{name}.{self.part}-{self.depth if self.part == 'step' else self.tick}.smt2"


@dataclass
class Certificate:
    """Scripts behind a proof.

    Attributes:
        flow: The program.
        ranges: Ranges of the memory cells that intervals prove, by name. The scripts depend on them.
        entries: For each proved goal its `id`, `claim`, `method`, and `queries`, `intervals` or a `witness`. A goal
            whose proof cannot be repeated as scripts has `uncertified`, the reason.
        queries: The scripts.
    """

    flow: Dataflow
    ranges: dict[str, list[float | str]] = field(default_factory=dict)
    entries: list[dict[str, Any]] = field(default_factory=list)
    queries: list[CertificateQuery] = field(default_factory=list)

    @property
    def uncertified(self) -> list[str]:
        """Ids of the goals whose proof is not certified."""
        return [entry["id"] for entry in self.entries if "uncertified" in entry]

    @property
    def certified(self) -> list[str]:
        """Ids of the goals whose proof is certified."""
        return [entry["id"] for entry in self.entries if "uncertified" not in entry]


def write_certificate(folder: Path, certificate: Certificate) -> Path:
    """Writes the scripts and their index, which it returns. Replaces an older certificate.

    Raises:
        HLError: The folder holds other files.
    """
    index_file = folder / INDEX
    for name in list_replaced_files(folder):
        (folder / name).unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    flow = certificate.flow
    for query in certificate.queries:
        (folder / query.file).write_text(format_script(flow, query), encoding="utf-8")
    document = {
        "schema": SCHEMA,
        "policy": flow.name,
        "program_hash": canonical_hash(flow),
        "environment": flow.card.environment,
        "assumes": describe_assumptions(flow),
        "memory": certificate.ranges,
        "obligations": certificate.entries,
    }
    index_file.write_text(json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False) + "\n", encoding="utf-8")
    return index_file


def format_script(flow: Dataflow, query: CertificateQuery) -> str:
    """Returns a complete SMT-LIB 2 file."""
    part = f"the step of {query.depth}-induction" if query.part == "step" else f"the base, tick {query.tick}"
    about = f"{query.goal} of the policy {flow.name} ({canonical_hash(flow)}): {part}"
    head = [
        "(set-info :smt-lib-version 2.6)",
        "(set-logic ALL)",
        f"(set-info :source |{about.replace('|', ' ')}|)",
        f"(set-info :status {UNSAT})",
    ]
    return "\n".join([*head, *query.lines, "(check-sat)", "(exit)", ""])


def list_replaced_files(folder: Path) -> Sequence[str]:
    """Returns the scripts of the certificate in a folder, which a new certificate replaces.

    Raises:
        HLError: The folder holds other files.
    """
    index_file = folder / INDEX
    if folder.exists() and not folder.is_dir():
        raise HLError(f"{folder} is a file", "name a folder for the certificate")
    if not folder.exists() or not any(folder.iterdir()):
        return []
    try:
        document = json.loads(index_file.read_text(encoding="utf-8"))
        files = (
            [query["file"] for entry in document["obligations"] for query in entry.get("queries", ())]
            if document["schema"] == SCHEMA
            else None
        )
    except (OSError, ValueError, KeyError, TypeError):
        files = None
    if files is None:
        raise HLError(
            f"{folder} is not empty and does not hold a certificate", "name another folder, or empty that one first"
        )
    return [Path(name).name for name in files]
