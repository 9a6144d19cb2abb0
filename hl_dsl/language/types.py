"""The types of the language: real, int, bool, enumerations, and vectors of fixed length."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, eq=False, slots=True)
class Type:
    """A scalar (`size is None`) or a vector. Made by `scalar` and `vector`, so equal types are one object.

    `base` is "real", "int", "bool", or the name of an enumeration ("action", "mode").
    """

    base: str
    size: int | None = None

    @property
    def is_vector(self) -> bool:
        """Whether it has components."""
        return self.size is not None

    @property
    def length(self) -> int:
        """The number of components; 1 for a scalar."""
        return self.size or 1

    @property
    def element(self) -> Type:
        """The type of a component."""
        return scalar(self.base)

    @property
    def is_enumeration(self) -> bool:
        """Whether its values have names."""
        return self.base not in ("real", "int", "bool")

    def with_base(self, base: str) -> Type:
        """A type of the same length with another base."""
        return _make(base, self.size)

    def __str__(self) -> str:
        if self.size is None:
            return self.base
        return f"vec[{self.size}]" if self.base == "real" else f"{self.base}[{self.size}]"


@cache
def _make(base: str, size: int | None) -> Type:
    return Type(base, size)


def scalar(base: str) -> Type:
    """The scalar type of a base."""
    return _make(base, None)


def vector(base: str, size: int) -> Type:
    """The vector type of a base and a length."""
    return _make(base, size)


REAL, INT, BOOL = scalar("real"), scalar("int"), scalar("bool")


def widens(source: str, target: str) -> bool:
    """Whether a value of base `source` is accepted as `target` (only int to real widens)."""
    return source == target or (source == "int" and target == "real")
