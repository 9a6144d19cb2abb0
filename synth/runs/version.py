"""Version of HL: its release and a digest of its source. A study repeats exactly only under the same source."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib import import_module, metadata
from pathlib import Path

UNKNOWN = "of an unknown version"
_STAGES = ("hl_dsl", "hl_dsl.grammar", "hl_dsl.compiler", "hl_dsl.verify", "hl_dsl.synth")
_SUFFIXES = (".py", ".lark", ".toml")


@cache
def version() -> str:
    """Returns the version, such as `0.1.0 (code 3f9c01ab)`. Any change of the source changes the digest."""
    digest = sha256()
    for stage in _STAGES:
        folder = Path(str(import_module(stage).__file__)).parent
        for name in sorted(
            path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.suffix in _SUFFIXES
        ):
            if not name.startswith("cli/"):  # the command line does not change a search
                digest.update(f"{stage} {name}\n".encode() + (folder / name).read_bytes())
    return f"{metadata.version('hl-dsl')} (code {digest.hexdigest()[:8]})"
