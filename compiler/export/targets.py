"""Table of the export targets, by the names that `hl export --to` accepts. A target is one file and one row here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from hl_dsl.compiler.export.python import export_python
from hl_dsl.compiler.ir.dataflow import Dataflow

TARGETS: Mapping[str, Callable[[Dataflow], str]] = MappingProxyType({"python": export_python})
