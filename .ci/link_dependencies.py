"""Links what a wheel depends on, and nothing else, from this environment into another one.

`python .ci/link_dependencies.py DISTRIBUTION VENV`: VENV has the distribution installed without its dependencies. Each
dependency that its metadata names, and theirs, is linked into VENV, so that a dependency that is missing in the
metadata is missing there too. This takes a second; installing the same files takes a minute and half a gigabyte.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement


def main(name: str, venv: Path) -> None:
    """Links the dependencies of the distribution `name`, which is installed in `venv`."""
    packages = next(venv.glob("lib/python*/site-packages"))
    waiting = [next(item for item in distributions(path=[str(packages)]) if _plain(item.name) == _plain(name))]
    known = {_plain(name)}
    while waiting:
        for text in waiting.pop().requires or ():
            requirement = Requirement(text)
            if _plain(requirement.name) in known or not _is_wanted(requirement):
                continue
            known.add(_plain(requirement.name))
            try:
                dependency = distribution(requirement.name)
            except PackageNotFoundError:
                sys.exit(f"`{requirement.name}` is not installed here")
            link(dependency, packages, venv)
            waiting.append(dependency)
    print(f"linked {len(known) - 1} dependencies")


def link(dependency: Distribution, packages: Path, venv: Path) -> None:
    """Links the top-level files and folders of a distribution, and its scripts."""
    for file in dependency.files or ():
        source = Path(str(dependency.locate_file(file)))
        if file.parts[0] == "..":
            target = venv / "bin" / file.name if "bin" in file.parts else None
        else:
            target = packages / file.parts[0]
            source = Path(str(dependency.locate_file(file.parts[0])))
        if target is not None and not target.exists() and source.exists():
            target.symlink_to(source.resolve())


def _is_wanted(requirement: Requirement) -> bool:
    """Whether the requirement holds here without any extra."""
    return requirement.marker is None or requirement.marker.evaluate({"extra": ""})


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
