"""A mixed-integer model as arrays: families of columns and of rows, by part, each known by its index.

The parts of the formulation add to it and read each other's families. A family of columns is numbered on from the last one; `at`
looks numbers up by index, -1 standing for a column that does not exist. `solver/matrix.py` makes one sparse matrix of it all,
`solver/in_pyomo.py` a Pyomo model with the same names.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from orepact.formulation.terms import FloatArray, IntArray, Numbers, Terms

Key = Any
"""Index of one member of a family: a tuple, or what would be its only entry."""

Index = Sequence[Any]
"""One array for each dimension, as long as the family: whole numbers, prices or names."""


@dataclass(frozen=True)
class Label:
    """What one row or column is called."""

    block: str
    family: str
    key: Key

    @property
    def name(self) -> str:
        """Such as activity.x[0,2,1]."""
        whole = f"{self.block}.{self.family}" if self.block else self.family
        inside = self.key if isinstance(self.key, tuple) else (self.key,)
        return f"{whole}[{','.join(map(str, inside))}]" if inside else whole


class Family(Mapping[Key, int]):
    """Numbers of rows or columns by key, in their order."""

    def __init__(self, block: str, name: str, index: Index, first: int, size: int) -> None:
        self.block, self.name, self.first, self.size = block, name, first, size
        self.index = tuple(np.asarray(part) for part in index)

    @property
    def ids(self) -> IntArray:
        """The members' numbers, in order."""
        return np.arange(self.first, self.first + self.size)

    @cached_property
    def keyed(self) -> list[Key]:
        """The members' keys, in order."""
        if not self.index:
            return [()] * self.size
        parts = [part.tolist() for part in self.index]
        return parts[0] if len(parts) == 1 else list(zip(*parts, strict=True))

    @cached_property
    def _numbers(self) -> dict[Key, int]:
        return {key: self.first + n for n, key in enumerate(self.keyed)}

    def __getitem__(self, key: Key) -> int:
        return self._numbers[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self.keyed)

    def __len__(self) -> int:
        return self.size


class Columns(Family):
    """A family of columns with limits (n,). `shape` is the range of each index, where `at` is to be asked."""

    def __init__(self, block: str, name: str, index: Index, first: int, size: int, shape: Sequence[int] | None, limits: tuple[float, float], whole: bool):
        super().__init__(block, name, index, first, size)
        self.shape, self.whole = shape, whole
        self.lower, self.upper = np.full(size, float(limits[0])), np.full(size, float(limits[1]))

    @cached_property
    def _cube(self) -> NDArray[np.int64]:
        assert self.shape is not None, f"{self.block}.{self.name} is not made to be looked up"
        cube = np.full(self.shape, -1, dtype=np.int64)
        cube[self.index] = self.ids
        return cube

    def at(self, *index: Numbers) -> IntArray:
        """Numbers of the columns with these indices, broadcast; -1 where there is none."""
        return np.asarray(self._cube[index])


class Rows(Family):
    """A family of rows: lower <= Σ coef · column <= upper, both (n,), infinite where there is no limit."""

    def __init__(self, block: str, name: str, index: Index, first: int, lower: FloatArray, upper: FloatArray, terms: Terms) -> None:
        super().__init__(block, name, index, first, terms.size)
        self.lower, self.upper, self.terms = lower, upper, terms


class Block:
    """One part's families, and whatever else it leaves for other parts, as attributes."""

    def __init__(self, model: Model, name: str) -> None:
        self.model, self.name = model, name

    if TYPE_CHECKING:

        def __setattr__(self, name: str, value: Any) -> None: ...

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"the part {self.__dict__.get('name')!r} has no {name!r}")

    def columns(
        self, name: str, index: Index, shape: Sequence[int] | None = None, lower: float = 0.0, upper: float = np.inf, whole: bool = False, size: int = 0
    ) -> Columns:
        """A new family of columns, continuous and not negative unless it says otherwise; `size` only for one without an index."""
        family = Columns(self.name, name, index, self.model.width, len(index[0]) if len(index) else size, shape, (lower, upper), whole)
        self.model.column_families.append(family)
        self.model.width += family.size
        setattr(self, name, family)
        return family

    def rows(self, name: str, index: Index, low: Numbers, terms: Terms, high: Numbers, where: NDArray[np.bool_] | None = None) -> Rows:
        """A new family: low <= terms <= high for each of the sums (or those in `where`); None: no limit. `index` covers all the sums.

        A row without columns is kept with one that is always zero, so that a demand nothing can meet makes the model infeasible
        instead of vanishing.
        """
        lower = _limit(low, terms, -np.inf)
        upper = _limit(high, terms, np.inf)
        index = tuple(np.asarray(part) for part in index)
        if where is not None and not where.all():
            kept = np.flatnonzero(where)
            place = np.full(terms.size, -1)
            place[kept] = np.arange(kept.size)
            fewer = Terms(kept.size)
            fewer.extend(terms, 1.0, place)
            index, lower, upper, terms = tuple(part[kept] for part in index), lower[kept], upper[kept], fewer
        empty = np.flatnonzero(~terms.filled())
        if empty.size:
            nothing = self.__dict__.get("nothing") or self.columns("nothing", (), upper=0.0, size=1)
            terms.add(empty, 1.0, nothing.first)
        family = Rows(self.name, name, index, self.model.height, lower, upper, terms)
        self.model.row_families.append(family)
        self.model.height += family.size
        setattr(self, name, family)
        return family

    def goals(self, name: str, index: Index, low: Numbers, terms: Terms, high: Numbers, gives: tuple[Numbers, Numbers] | None = None) -> Rows:
        """Rows that are somebody's wish, not physics: for diagnosis each may give way, by so much per unit of a give column.

        `gives` says for each row how much and which column (see `cells.py`; -1: it holds). Priced against everything else nowhere:
        a price dearer than everything makes gaps worthless.
        """
        if gives is not None:
            amount, column = gives
            terms.add(np.arange(terms.size), amount if low is not None else -np.asarray(amount), column)
        return self.rows(name, index, low, terms, high)

    def limits(self, name: str, columns: Columns, places: IntArray, most: FloatArray, gives: IntArray | None = None) -> None:
        """Upper limits on the members of a family at these places (from 0): bounds, or, with give columns that may lift them, rows."""
        terms, index = Terms(0 if gives is None else len(places)), tuple(part[places] for part in columns.index)
        if gives is None:
            columns.upper[places] = most
            index, most = tuple(part[:0] for part in index), most[:0]
        else:
            cell = np.arange(len(places))
            terms.add(cell, 1.0, columns.first + places)
            terms.add(cell, -1.0, gives)
        self.rows(name, index, None, terms, most)


def _limit(given: Numbers, terms: Terms, otherwise: float) -> FloatArray:
    """A limit for each row, what is constant in its sum taken off."""
    if given is None:
        return np.full(terms.size, otherwise)
    return np.asarray(np.broadcast_to(np.asarray(given, dtype=float), (terms.size,)) - terms.constant)


class Model:
    """Minimise `objective`, one sum, subject to every family of rows. Blocks are its attributes; `gives` see cells.py."""

    def __init__(self) -> None:
        self.column_families: list[Columns] = []
        self.row_families: list[Rows] = []
        self.width = self.height = 0
        self.objective = Terms(1)
        self.gives: dict[Any, int] = {}

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"the model has no part {name!r}")

    def block(self, name: str) -> Block:
        """A new part."""
        block = Block(self, name)
        setattr(self, name, block)
        return block

    @property
    def columns(self) -> Labels:
        """What every column is called."""
        return Labels(self.column_families)

    @property
    def rows(self) -> Labels:
        """What every row is called."""
        return Labels(self.row_families)


class Labels(Sequence[Label]):
    """What the members of several families are called, made when asked for."""

    def __init__(self, families: Sequence[Family]) -> None:
        self._families = [family for family in families if family.size]
        self._firsts = [family.first for family in self._families]
        self._size = sum(family.size for family in self._families)

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, n: Any) -> Any:
        if isinstance(n, slice):
            return [self[i] for i in range(*n.indices(self._size))]
        n = int(n) + (self._size if n < 0 else 0)
        if not 0 <= n < self._size:
            raise IndexError(n)
        family = self._families[bisect_right(self._firsts, n) - 1]
        return Label(family.block, family.name, family.keyed[n - family.first])
