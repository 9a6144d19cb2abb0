"""Rule: no module keeps mutable state."""

from __future__ import annotations

import ast
from collections.abc import Iterator

_CHANGING = frozenset(
    ("add", "append", "appendleft", "clear", "discard", "extend", "insert", "pop", "popitem", "popleft", "remove")
    + ("reverse", "setdefault", "sort", "update")
)
_CACHES = frozenset(("cache", "lru_cache"))
_FILE_ACCESS = frozenset(
    ("check_output", "cwd", "exists", "glob", "is_dir", "is_file", "iterdir", "open", "read", "read_bytes")
    + ("read_text", "resolve", "rglob", "run", "stat")
)


def module_state(file: str, tree: ast.Module) -> Iterator[str]:
    """Every place where a module keeps or changes state that outlives a call."""
    names = _module_names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            yield f"{file}: `global {', '.join(node.names)}`"
        elif isinstance(node, ast.FunctionDef) and _is_cached(node) and _reads_files(node):
            yield f"{file}: the cached function `{node.name}` reads files"
    for function in _functions(tree):
        for name in sorted(_changed_names(function) & names - _local_names(function)):
            yield f"{file}: `{name}` of the module is changed in a function"


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    """The outermost functions, methods included; what they contain is part of them."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        for child in ast.iter_child_nodes(waiting.pop()):
            if isinstance(child, ast.FunctionDef):
                yield child
            else:
                waiting.append(child)


def _module_names(tree: ast.Module) -> set[str]:
    """Names that are assigned or imported at module level."""
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {item.id for target in targets for item in ast.walk(target) if isinstance(item, ast.Name)}
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
    return names


def _local_names(function: ast.FunctionDef) -> set[str]:
    """Names that the function or a function inside it binds itself."""
    bound = {item.arg for item in ast.walk(function) if isinstance(item, ast.arg)}
    return bound | {
        item.id for item in ast.walk(function) if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)
    }


def _changed_names(function: ast.FunctionDef) -> set[str]:
    """Names whose objects are changed: by a method, an item, an attribute or `del`."""
    changed: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CHANGING:
            target: ast.expr = node.func.value
        elif isinstance(node, (ast.Subscript, ast.Attribute)) and isinstance(node.ctx, (ast.Store, ast.Del)):
            target = node.value
        else:
            continue
        if isinstance(target, ast.Name):
            changed.add(target.id)
    return changed


def _is_cached(function: ast.FunctionDef) -> bool:
    decorators = [item.func if isinstance(item, ast.Call) else item for item in function.decorator_list]
    return any(
        (item.attr if isinstance(item, ast.Attribute) else getattr(item, "id", "")) in _CACHES for item in decorators
    )


def _reads_files(function: ast.FunctionDef) -> bool:
    """Whether the function reads files other than those of the package, which do not change."""
    calls = {
        item.func.attr if isinstance(item.func, ast.Attribute) else getattr(item.func, "id", "")
        for item in ast.walk(function)
        if isinstance(item, ast.Call)
    }
    return bool(calls & _FILE_ACCESS) and "files" not in calls


def module_objects(file: str, tree: ast.Module, mutable_classes: frozenset[str]) -> Iterator[str]:
    """Objects of mutable classes that are assigned at module level."""
    for node in tree.body:
        value = node.value if isinstance(node, (ast.Assign, ast.AnnAssign)) else None
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in mutable_classes:
            yield f"{file}: an object of the mutable class `{value.func.id}`"


def mutable_classes(trees: list[ast.Module]) -> frozenset[str]:
    """Names of the classes that are neither frozen data classes nor tuples nor enums."""
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    return frozenset(node.name for node in classes if not _is_immutable(node))


def _is_immutable(node: ast.ClassDef) -> bool:
    bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
    if bases & {"NamedTuple", "StrEnum", "Enum", "IntEnum"}:
        return True
    frozen = [
        keyword.value
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call)
        for keyword in decorator.keywords
        if keyword.arg == "frozen"
    ]
    return any(isinstance(value, ast.Constant) and value.value is True for value in frozen)
