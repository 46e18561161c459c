"""Tables of a solution as DataFrames with exactly the columns and dtypes of the solution format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from orepact.instance.naming import suggestion
from orepact.instance.schema import Column
from orepact.solution.schema import OUTPUT


def dtype_of(column: Column) -> str:
    """The pandas dtype that a column of the solution has."""
    if column.kind == "int":
        return "int64" if column.required else "Int64"
    return {"float": "float64", "bool": "bool"}.get(column.kind, "str")


def as_table(name: str, rows: pd.DataFrame | Iterable[Mapping[str, Any]] | Mapping[str, Sequence[Any]]) -> pd.DataFrame:
    """A table of the solution with exactly its columns, in order, and their dtypes; the index is 0, 1, 2, ...

    `rows` is a DataFrame, mappings of column to value, or one mapping of column to values. A column that may be
    blank may be left out. Raises ValueError when a column is unknown or missing, or a cell doesn't fit.
    """
    if name not in OUTPUT:
        raise ValueError(f"no table {name!r} in a solution{suggestion(name, OUTPUT)}")
    table = OUTPUT[name]
    frame = pd.DataFrame(rows if isinstance(rows, pd.DataFrame | Mapping) else list(rows))
    known = [column.name for column in table.columns]
    if unknown := [str(column) for column in frame.columns if column not in known]:
        raise ValueError(f"table {name!r} has no column {unknown[0]!r}{suggestion(unknown[0], known)}")
    columns = {}
    for column in table.columns:
        if column.name in frame.columns:
            columns[column.name] = _cast(name, column, frame[column.name])
        elif frame.empty or not column.required:
            columns[column.name] = _cast(name, column, pd.Series([None] * len(frame), dtype="object"))
        else:
            raise ValueError(f"table {name!r} lacks column {column.name}")
    return pd.DataFrame(columns)


def _cast(name: str, column: Column, cells: pd.Series[Any]) -> pd.api.extensions.ExtensionArray | np.ndarray[Any, Any]:
    """One column in its dtype, or ValueError: nothing is rounded, cut or guessed on the way."""
    place = f"table {name!r}, column {column.name}"
    blank = cells.isna().to_numpy()
    if column.kind in ("text", "code", "choice"):
        texts = ["" if missing else str(cell) for cell, missing in zip(cells.tolist(), blank.tolist(), strict=True)]
        if any("\r" in text for text in set(texts)):  # one kind of line break
            texts = [text.replace("\r\n", "\n").replace("\r", "\n") for text in texts]
        return pd.array(texts, dtype=dtype_of(column))  # type: ignore[call-overload, no-any-return]
    if column.required and blank.any():
        raise ValueError(f"{place}: row {int(blank.argmax())} is blank")
    if column.kind == "bool":
        if not all(isinstance(cell, bool | np.bool_) for cell in cells.tolist()):
            raise ValueError(f"{place}: must be true or false")
        return cells.to_numpy(dtype=np.bool_)
    try:
        numbers = cells.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{place}: {error}") from error
    if np.isinf(numbers).any():
        raise ValueError(f"{place}: infinite; a number that does not exist is left blank")
    if column.kind == "float":
        return numbers
    if (numbers[~blank] % 1 != 0).any():
        raise ValueError(f"{place}: must be whole numbers")
    return pd.array(numbers, dtype="Int64") if not column.required else numbers.astype(np.int64)


class Complete(dict[str, pd.DataFrame]):
    """Every table of a solution, each as `as_table` makes it."""


def complete(tables: Mapping[str, Any]) -> Complete:
    """Every table of the solution out of the ones given, as `as_table` makes them; the others have no rows.

    What is complete already stays as it is. Raises ValueError on a table of another name.
    """
    if isinstance(tables, Complete):
        return tables
    if unknown := [name for name in tables if name not in OUTPUT]:
        raise ValueError(f"no table {unknown[0]!r} in a solution{suggestion(unknown[0], OUTPUT)}")
    return Complete({name: as_table(name, tables.get(name, [])) for name in OUTPUT})


def empty_tables() -> Complete:
    """Every table without rows: what a run without a plan has to show."""
    return complete({})
