"""The live progress of a solve on a terminal; plain lines elsewhere; nothing when quiet.

`reporter` chooses between the three by the stream it is given, so that a log file never holds a terminal's codes.
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from orepact.solver.progress import LineReporter, Progress, Reporter, SilentReporter, money

__all__ = ["LiveReporter", "reporter"]


class LiveReporter:
    """One line that stays in place while the solve runs and is gone when it ends: the plan card follows."""

    def __init__(self, stream: TextIO) -> None:
        self._spinner = Spinner("dots")
        self._event = Progress("starting")
        self._began = time.monotonic()
        self._running = False
        self._live = Live(console=Console(file=stream), refresh_per_second=5, transient=True, redirect_stdout=False, get_renderable=self._draw)

    def __call__(self, event: Progress) -> None:
        """Show the event from the next refresh on."""
        self._event = event
        if not self._running:
            self._running = True
            self._live.start()

    def close(self) -> None:
        """Take the line away."""
        if self._running:
            self._running = False
            self._live.stop()

    def __enter__(self) -> LiveReporter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _draw(self) -> Table:
        """The line as it is now; the clock runs on between events."""
        event, seconds = self._event, time.monotonic() - self._began
        cells = [Text(f"{seconds:6.1f} s", style="dim"), Text(event.phase, style="bold")]
        if event.paths_examined is not None:
            listed = "" if event.paths_listed is None else f"/{event.paths_listed}"
            cells.append(Text(f"paths {event.paths_examined}{listed}"))
        if event.incumbent is not None:
            cells.append(Text(f"best {money(event.incumbent)}", style="green"))
        if event.bound is not None:
            cells.append(Text(f"bound {money(event.bound)}"))
        if event.gap is not None:
            cells.append(Text(f"gap {event.gap:.2%}", style="cyan"))
        if event.message:
            cells.append(Text(event.message, style="dim"))
        line = Table.grid(padding=(0, 2))
        line.add_row(self._spinner, *cells)
        return line


def reporter(stream: TextIO, quiet: bool = False) -> Reporter:
    """Who tells the progress: a live line if the stream is a terminal, plain lines if not, nobody if quiet."""
    if quiet:
        return SilentReporter()
    return LiveReporter(stream) if stream.isatty() else LineReporter(stream)
