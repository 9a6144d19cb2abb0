"""Reading program files."""

from __future__ import annotations

import difflib
from pathlib import Path

from hl_dsl.base.errors import HLError
from hl_dsl.base.source import SourceText

SUFFIX = ".hl"
MOST_BYTES = 4_000_000  # more than the parser accepts; a larger file is not read into memory


def read_source(path: str | Path) -> SourceText:
    """Reads a program file; a byte order mark at its start is dropped.

    Raises:
        HLError: There is no such file (the hint names the nearest ones in its folder), it is a folder, cannot be read,
            is too large, or is not UTF-8 text. An empty file is rejected by the parser.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise HLError(f"`{path}` is a folder, not a policy", _offer(sorted(path.glob("*" + SUFFIX))), "HL611")
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise HLError(f"there is no file `{path}`", _hint_for_missing(path), "HL610") from None
    except NotADirectoryError:
        raise HLError(
            f"there is no file `{path}`: part of its path is a file, not a folder",
            "name the policy's own file",
            "HL610",
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise HLError(
            f"`{path}` cannot be read: {reason.lower()}", "check its permissions and the spelling of its path", "HL612"
        ) from None
    if len(data) > MOST_BYTES:
        raise HLError(
            f"`{path}` is too large for a policy: more than {MOST_BYTES:,} bytes",
            "check that the path names a policy",
            "HL614",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        kind = "a binary file" if b"\0" in data else "not UTF-8 text"
        line = data.count(b"\n", 0, error.start) + 1
        raise HLError(
            f"`{path}` is {kind}: byte {error.start} (line {line}) is 0x{data[error.start]:02x}",
            "save it again as a UTF-8 text file",
            "HL613",
        ) from None
    return SourceText(text, str(path))


def _hint_for_missing(path: Path) -> str:
    """Names the policies in the folder whose names are most like the path's."""
    try:
        policies = sorted(path.parent.glob("*" + SUFFIX))
    except (OSError, ValueError):
        return "check the spelling of its path"
    if not path.parent.is_dir():
        return f"the folder `{path.parent}` does not exist either"
    # Compared without the suffix, which all of them share.
    name = path.stem if path.suffix == SUFFIX else path.name
    near = difflib.get_close_matches(name, [policy.stem for policy in policies], 3, 0.5)
    if not near and policies:
        listed = ", ".join(f"`{policy}`" for policy in policies[:3])
        return f"policies in that folder: {listed}{', …' if len(policies) > 3 else ''}"
    return _offer([policy for stem in near for policy in policies if policy.stem == stem])


def _offer(policies: list[Path]) -> str:
    if not policies:
        return "`hl new NAME --env ENV-ID` makes an initial policy"
    return "did you mean " + " or ".join(f"`{path}`" for path in policies[:3]) + "?"
