"""What a run was started with: written when it begins, compared when it goes on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hl_dsl.synth.runs.ledger_format import FIRST_SCHEMA, LEDGER_SETTING, SCHEMA
from hl_dsl.synth.runs.run_folder import RunFolder
from hl_dsl.synth.runs.version import UNKNOWN, version

from hl_dsl.base.errors import HLError
from hl_dsl.base.json_values import plain

VERSION = "version"
# What people set, by the name it is recorded under.
_OPTIONS = {
    "protocol": "--protocol",
    "run_seed": "--seed",
    "proposer": "--proposer",
    "seeds": "--seeds",
    "max_steps": "--max-steps",
    "params": "--params",
    "fitness": "--fitness",
    "race": "--race",
    "center": "--center",
    "short": "--short",
    "step_size": "--step-size",
    "population": "--population",
}


def record_settings(folder: RunFolder, settings: Mapping[str, Any]) -> None:
    """Records the settings, with the version of HL. Raises HLError where the folder already holds a run."""
    if folder.read_settings() is not None or folder.ledger.read():
        raise HLError(f"{folder.path} already holds a run", "go on with it by --resume, or choose another folder")
    folder.write_settings({**settings, VERSION: version(), LEDGER_SETTING: SCHEMA})


def check_resumable(folder: RunFolder, settings: Mapping[str, Any]) -> str:
    """The version of HL that began the run. Raises HLError where there is no run, or it differs from `settings`."""
    found = folder.read_settings()
    if found is None:
        raise HLError(f"{folder.path} holds no run to go on with", "start one without --resume")
    check_schema(folder.path, found)
    wanted = plain(settings, "settings")
    for name in wanted:
        if found.get(name) != wanted[name] and name != "program":
            raise HLError(
                f"{folder.path} holds another run: {_difference(name, found.get(name), wanted[name])}", _mend(found)
            )
    return found.get(VERSION) or UNKNOWN


def check_schema(folder: Path, settings: Mapping[str, Any]) -> None:
    """Raises HLError if a run with these settings has a ledger of another schema: it can be read, but not continued."""
    schema = settings.get(LEDGER_SETTING, FIRST_SCHEMA)
    if schema != SCHEMA:
        made = settings.get(VERSION) or UNKNOWN
        raise HLError(
            f"{folder} holds a run with a ledger of schema {schema}; this version continues only {SCHEMA}",
            f"start a new run from its best program ({folder / 'best.hl'}), or resume it with HL {made}, which started it",
        )


def _difference(name: str, found: Any, wanted: Any) -> str:
    if name == "kind":
        return f"`hl {found}` made it"
    if name == "program_hash":
        return f"it began with program {found}, and this is program {wanted}"
    if name == "regressions":
        return _regressions_difference(found or {}, wanted or {})
    if name == "proposer_settings":
        return _proposer_difference(found or {}, wanted or {})
    if name not in _OPTIONS:
        return f"its {name.replace('_', ' ')} is {_shown(found)}, not {_shown(wanted)}"
    option = _OPTIONS[name]
    if found is None or found is False:
        return f"it was started without {option}"
    if found is True:
        return f"it was started with {option}"
    return f"it was started with {option} {_shown(found)}" + ("" if wanted is None else f", not {_shown(wanted)}")


def _regressions_difference(found: Mapping[str, str], wanted: Mapping[str, str]) -> str:
    """The first golden case that is not what it was."""
    name = next(name for name in sorted({**found, **wanted}) if found.get(name) != wanted.get(name))
    what = (
        "was added since"
        if name not in found
        else "was taken away since"
        if name not in wanted
        else "was changed since"
    )
    return f"its programs passed other regression cases; `{name}` {what}"


def _proposer_difference(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """The first of the proposer's settings that differs."""
    name = next(name for name in {**found, **wanted} if found.get(name) != wanted.get(name))
    return f"its proposer's {name.replace('_', ' ')} is {_shown(found.get(name))}, not {_shown(wanted.get(name))}"


def _shown(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _mend(found: Mapping[str, Any]) -> str:
    hint = "go on with the program and options it was started with, or choose another folder"
    made = found.get(VERSION) or UNKNOWN
    return hint if made == version() else f"{hint}; {_two_versions(made)}"


def not_reproducible(folder: RunFolder, made: str, what: str) -> HLError:
    """The error for a run that does not come out again as it is recorded. `made`: the version that began it."""
    if made == version():
        return HLError(
            f"{what} cannot be proposed again as it was: files in {folder.path} were changed",
            "restore the folder from a copy, or start a new run",
        )
    return HLError(
        f"{what} cannot be proposed again as it was: {_two_versions(made)}",
        f"start a new run, from its best program if you like ({folder.path / 'best.hl'}), or go on with that version",
    )


def _two_versions(made: str) -> str:
    return f"HL {made} made this run, and this is HL {version()}"
