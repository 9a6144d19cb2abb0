"""The constructs of the language: the front door's list of all declarations."""

from __future__ import annotations

from hl_dsl.base.declaration_table import DeclarationTable
from hl_dsl.declarations.act import ActForm
from hl_dsl.declarations.let import LetForm
from hl_dsl.declarations.memory import MemoryForm
from hl_dsl.declarations.modes import ModesForm
from hl_dsl.declarations.observe import ObserveForm
from hl_dsl.declarations.param import ParamForm
from hl_dsl.declarations.plan import PlanForm
from hl_dsl.declarations.property import PropertyForm

# In the order in which an explanation shows them.
STANDARD = DeclarationTable(
    (
        ObserveForm(),
        ParamForm(),
        LetForm(),
        MemoryForm(),
        PlanForm(),
        ModesForm(),
        ActForm(),
        PropertyForm(),
    )
)
