"""Reading program files."""

from __future__ import annotations

import difflib
from pathlib import Path

from hl_dsl.base.errors import HLError
from hl_dsl.base.source import SourceText

SUFFIX = ".hl"
MOST_BYTES = 4_000_000  # beyond any text the parser takes; a larger file is not read into memory at all


def read_source(path: str | Path) -> SourceText:
    """The text of a program file, under the path it was asked for. A byte order mark at its start is dropped.

    Raises HLError where there is no such file (with the nearest ones of its folder), where it is a folder, cannot be
    read, is too large, or is not UTF-8 text. An empty file is the parser's to refuse.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise HLError(f"`{path}` is a folder, not a policy", _offered(sorted(path.glob("*" + SUFFIX))), "HL611")
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise HLError(f"there is no file `{path}`", _nearest(path), "HL610") from None
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
            "is it another kind of file?",
            "HL614",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        kind = "a binary file" if b"\0" in data else "not UTF-8 text"
        line = data.count(b"\n", 0, error.start) + 1
        raise HLError(
            f"`{path}` is {kind}: byte {error.start} (line {line}) is 0x{data[error.start]:02x}",
            "policies are text files in UTF-8; save it again with that encoding",
            "HL613",
        ) from None
    return SourceText(text, str(path))


def _nearest(path: Path) -> str:
    try:
        found = sorted(path.parent.glob("*" + SUFFIX))
    except (OSError, ValueError):
        return "check the spelling of its path"
    if not path.parent.is_dir():
        return f"the folder `{path.parent}` does not exist either"
    # Without the ending, which all of them share.
    near = difflib.get_close_matches(
        path.stem if path.suffix == SUFFIX else path.name, [other.stem for other in found], 3, 0.5
    )
    if not near and found:
        return f"policies in that folder: {', '.join(f'`{other}`' for other in found[:3])}{', …' if len(found) > 3 else ''}"
    return _offered([other for stem in near for other in found if other.stem == stem])


def _offered(found: list[Path]) -> str:
    if not found:
        return "`hl new NAME --env ENV-ID` makes a policy to begin from"
    return "did you mean " + " or ".join(f"`{path}`" for path in found[:3]) + "?"
