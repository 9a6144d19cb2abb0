"""The tape interpreter's source, written from the operator table, and the module compiled from it.

A tape's instructions are interpreted by one numba function that knows every compiled form of the table. It is
compiled once for a table, not once for a program, and kept on disk (see `hl_dsl.base.cache_folder`).
"""

from __future__ import annotations

import atexit
import hashlib
import importlib.util
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable
from functools import cache
from importlib import resources
from pathlib import Path
from types import ModuleType

from hl_dsl.base.cache_folder import cache_folder
from hl_dsl.input_sources.table import INPUT_SOURCES, SOURCE_NAMES
from hl_dsl.operators import OPERATORS

_DECORATED = (
    "floor",
    "ceil",
    "round_half_even",
    "floor_divide",
    "modulo_int",
    "modulo_real",
    "popcount",
    "has_lanes",
    "start_episodes",
    "admit",
    "gather",
    "scatter",
    "count_violations",
)
# No raising checks inside the loops: every form is total. No reference counts: nothing is allocated, and counting for
# slices of arrays that are passed to functions would cost more than the work.
_OPTIONS = 'error_model="numpy", _nrt=False'


def table_forms(more: Iterable[str] = ()) -> tuple[str, ...]:
    """The distinct compiled forms of the present table, with those of `more` that it no longer has.

    A form's position is its opcode.
    """
    forms = (form.tape for row in OPERATORS.values() for form in row.forms)
    return tuple(dict.fromkeys([*forms, *more]))


def interpreter_source(forms: tuple[str, ...]) -> str:
    """The text of the module that interprets tapes over `forms`."""
    frame = resources.files("hl_dsl.compiler.backends.tape").joinpath("step.py").read_text(encoding="utf-8")
    # One parameter for each source: numba passes arrays faster than a tuple of them.
    parts = [re.sub(r"\bsources\b", ", ".join(SOURCE_NAMES), frame), "from numba import float32, njit"]
    parts += [f"{name} = njit({_OPTIONS})({name})" for name in _DECORATED]
    parts += [_has_sources(), _read(), _evaluate(forms)]
    parts.append(f"tick = njit(cache=True, {_OPTIONS})(tick)")
    return "\n\n".join(parts) + "\n"


def _has_sources() -> str:
    """Whether every source that is read has a row for each lane, and enough columns."""
    lines = [
        f"@njit({_OPTIONS})",
        f"def has_sources(count, {', '.join(SOURCE_NAMES)}, program):",
        "    for k in range(program[INPUTS]):",
        "        source, column = program[BODY + k * ROW + SOURCE], program[BODY + k * ROW + COLUMN]",
    ]
    for place, source in enumerate(INPUT_SOURCES):
        narrow = f" or {source.name}.shape[1] <= column" if source.is_wide else ""
        lines += [
            f"        if source == {place} and ({source.name}.shape[0] != count{narrow}):",
            "            return False",
        ]
    return "\n".join([*lines, "    return True"])


def _read() -> str:
    """Reads the raw values of rows `first` to `last`. Returns whether they are bytes."""
    lines = [
        f"@njit({_OPTIONS})",
        f"def read(entry, values, first, last, {', '.join(SOURCE_NAMES)}):",
        "    source = entry[SOURCE]",
    ]
    for place, source in enumerate(INPUT_SOURCES):
        column = ", entry[COLUMN]" if source.is_wide else ""
        lines += [
            f"    if source == {place}:",
            f"        raw = {source.name}[first:last{column}]",
            "        for i in range(raw.shape[0]):",
            "            values[i] = raw[i]",
            *([f"        return {source.name}.itemsize == 1"] if source.holds_bytes else []),
        ]
    return "\n".join([*lines, "    return False"])


def _evaluate(forms: tuple[str, ...]) -> str:
    lines = [
        f"@njit({_OPTIONS})",
        "def evaluate(code, registers, size):",
        "    for line in range(code.shape[0]):",
        "        opcode = code[line, 0]",
        "        result = registers[code[line, 1]]",
        "        first = registers[code[line, 2]]",
        "        second = registers[code[line, 3]]",
        "        third = registers[code[line, 4]]",
    ]
    for opcode, form in enumerate(forms):
        lines += [
            f"        {'el' if opcode else ''}if opcode == {opcode}:",
            "            for i in range(size):",
            "                a = first[i]",
            "                b = second[i]",
            "                c = third[i]",
            f"                result[i] = {form}",
        ]
    return "\n".join(lines)


def interpreter_for(forms: tuple[str, ...], arguments: tuple):
    """The compiled `tick` over `forms`, ready for arguments of these types.

    Damaged files in numba's cache are removed, and the function is compiled again. Exceptions of that compilation are
    not caught.
    """
    module = load_interpreter(forms, True)
    try:
        ready(module.tick, arguments)
    except Exception:  # a damaged file raises anything, such as UnpicklingError or EOFError
        for file in Path(str(module.__file__)).parent.glob(f"__pycache__/{module.__name__}.*.nb*"):
            file.unlink(missing_ok=True)
        module = load_interpreter(forms, False)
        ready(module.tick, arguments)
    return module.tick


@cache
def load_interpreter(forms: tuple[str, ...], keep: bool = True) -> ModuleType:
    """The module for `forms`, from the cache folder or, not to `keep` it, from a passing one."""
    # Intel's vector library, where installed, rounds differently from the C library; numba reads this once, at import.
    os.environ.setdefault("NUMBA_DISABLE_INTEL_SVML", "1")
    import numba
    import numpy

    source = interpreter_source(forms)
    version = f"{numba.__version__} {numpy.__version__} {sys.version}"
    name = f"hl_tape_{hashlib.sha256(f'{version}|{source}'.encode()).hexdigest()[:16]}"
    try:
        if keep:
            return _imported(name, _write(cache_folder(), name, source))
    except (OSError, RuntimeError):  # RuntimeError: no home folder, or numba finds no place for its own files
        pass
    return _imported(name, _write(_passing_folder(), name, source))


def _imported(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # numba looks the module up when it reads its cache
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def ready(dispatcher, arguments: tuple) -> None:
    """Has the function compiled, or read from the cache, for arguments of these types; a call never compiles."""
    from numba import typeof

    dispatcher.disable_compile(False)
    dispatcher.compile(tuple(map(typeof, arguments)))
    dispatcher.disable_compile()


def _passing_folder() -> Path:
    """A folder that is gone when the process ends."""
    folder = tempfile.mkdtemp(prefix="hl_")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _write(folder: Path, name: str, source: str) -> Path:
    """Writes the module's file. An existing file is kept, because numba's cache depends on its modification time."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.py"
    if path.is_file() and path.read_bytes() == source.encode():
        return path
    handle, draft = tempfile.mkstemp(dir=folder, prefix=name, suffix=".draft")
    with os.fdopen(handle, "wb") as file:
        file.write(source.encode())
    os.replace(draft, path)
    return path
