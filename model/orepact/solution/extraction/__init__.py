"""From a solved model back to canonical units and tidy tables: one module per group of tables, `extract` for all of them."""

from orepact.solution.extraction.extract import Extracted, extract

__all__ = ["Extracted", "extract"]
