"""Settings of a run: written at its start, and compared when it is resumed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hl_dsl.base.errors import HLError
from hl_dsl.base.json_values import plain
from hl_dsl.synth.runs.ledger_format import FIRST_SCHEMA, LEDGER_SETTING, SCHEMA
from hl_dsl.synth.runs.run_folder import RunFolder
from hl_dsl.synth.runs.version import UNKNOWN, version

VERSION = "version"
# Settings that a command-line option sets, by their recorded names.
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
    """Writes the settings of a new run, with the version of HL. Raises HLError if the folder already holds a run."""
    if folder.read_settings() is not None or folder.ledger.read():
        raise HLError(f"{folder.path} already holds a run", "resume it with --resume, or choose another folder")
    folder.write_settings({**settings, VERSION: version(), LEDGER_SETTING: SCHEMA})


def check_resumable(folder: RunFolder, settings: Mapping[str, Any]) -> str:
    """Checks that the folder holds a run with these settings, and returns the version of HL that started it.

    Raises:
        HLError: There is no run, its ledger has an earlier schema, or its settings differ.
    """
    recorded = folder.read_settings()
    if recorded is None:
        raise HLError(f"{folder.path} does not hold a run to resume", "start one without --resume")
    check_schema(folder.path, recorded)
    wanted = plain(dict(settings), "settings")
    assert isinstance(wanted, dict)
    for name in wanted:
        if recorded.get(name) != wanted[name] and name != "program":
            raise HLError(
                f"{folder.path} holds another run: {_difference(name, recorded.get(name), wanted[name])}",
                _resume_hint(recorded),
            )
    return str(recorded.get(VERSION) or UNKNOWN)


def check_schema(folder: Path, settings: Mapping[str, Any]) -> None:
    """Raises HLError if the run with these settings has a ledger of another schema: it can be read, but not resumed."""
    schema = settings.get(LEDGER_SETTING, FIRST_SCHEMA)
    if schema != SCHEMA:
        starter = settings.get(VERSION) or UNKNOWN
        raise HLError(
            f"{folder} holds a run with a ledger of schema {schema}; this version resumes only {SCHEMA}",
            f"start a new run from its best program ({folder / 'best.hl'}), "
            f"or resume it with HL {starter}, which started it",
        )


def _difference(name: str, recorded: Any, wanted: Any) -> str:
    if name == "kind":
        return f"`hl {recorded}` made it"
    if name == "program_hash":
        return f"it started from program {recorded}, and this is program {wanted}"
    if name == "regressions":
        return _regressions_difference(recorded or {}, wanted or {})
    if name == "proposer_settings":
        return _proposer_difference(recorded or {}, wanted or {})
    if name not in _OPTIONS:
        return f"its {name.replace('_', ' ')} is {_text(recorded)}, not {_text(wanted)}"
    option = _OPTIONS[name]
    if recorded is None or recorded is False:
        return f"it was started without {option}"
    if recorded is True:
        return f"it was started with {option}"
    return f"it was started with {option} {_text(recorded)}" + ("" if wanted is None else f", not {_text(wanted)}")


def _regressions_difference(recorded: Mapping[str, str], wanted: Mapping[str, str]) -> str:
    """Returns the first golden case that differs."""
    name = next(name for name in sorted({**recorded, **wanted}) if recorded.get(name) != wanted.get(name))
    change = "added" if name not in recorded else "removed" if name not in wanted else "changed"
    return f"its programs passed other regression cases; `{name}` was {change} since"


def _proposer_difference(recorded: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """Returns the first of the proposer's settings that differs."""
    name = next(name for name in {**recorded, **wanted} if recorded.get(name) != wanted.get(name))
    return f"its proposer's {name.replace('_', ' ')} is {_text(recorded.get(name))}, not {_text(wanted.get(name))}"


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _resume_hint(recorded: Mapping[str, Any]) -> str:
    hint = "resume it with the program and options it was started with, or choose another folder"
    starter = recorded.get(VERSION) or UNKNOWN
    return hint if starter == version() else f"{hint}; {_two_versions(starter)}"


def not_reproducible(folder: RunFolder, starter: str, what: str) -> HLError:
    """Returns the error for a run whose recorded proposals cannot be reproduced.

    Args:
        folder: The run folder.
        starter: The version of HL that started the run.
        what: The part of the run, as the subject of the message.
    """
    if starter == version():
        return HLError(
            f"{what} cannot be proposed again as recorded: files in {folder.path} were changed",
            "restore the folder from a copy, or start a new run",
        )
    return HLError(
        f"{what} cannot be proposed again as recorded: {_two_versions(starter)}",
        f"start a new run, for example from its best program ({folder.path / 'best.hl'}), "
        "or resume it with that version",
    )


def _two_versions(starter: str) -> str:
    return f"HL {starter} made this run, and this is HL {version()}"
