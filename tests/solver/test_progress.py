"""Progress is told to whoever asked, in the form that suits the stream, and to nobody else."""

from __future__ import annotations

import io
import math
import signal
import threading

import pytest

from example_models import market_split
from orepact.report.progress_display import LiveReporter, reporter
from orepact.solver.highs import Session
from orepact.solver.progress import LineReporter, Progress, SilentReporter, describe, keep_plan_on_interrupt, money, relative_gap


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("incumbent", "bound", "gap"),
    [
        (200.0, 199.0, 1 / 200),
        (-200.0, -202.0, 2 / 200),
        (100.0, 100.0000001, 0.0),
        (0.0, 0.0, 0.0),
        (0.0, -1.0, math.inf),
        (None, 1.0, None),
        (1.0, None, None),
        (math.inf, 1.0, None),
        (1.0, -math.inf, None),
    ],
)
def test_gap_is_a_share_of_the_incumbent(incumbent: float | None, bound: float | None, gap: float | None) -> None:
    assert relative_gap(incumbent, bound) == gap


@pytest.mark.parametrize(
    ("usd", "text"),
    [(0, "0 USD"), (12.5, "12.5 USD"), (4_520, "4.52 k USD"), (-7_261_400, "-7.261 m USD"), (51_234_000_000, "51.23 bn USD"), (3.2e13, "32,000 bn USD")],
)
def test_money_in_the_unit_that_reads_best(usd: float, text: str) -> None:
    assert money(usd) == text


def test_line_says_what_is_known_and_nothing_else() -> None:
    full = Progress("solve", 12.34, 7.2e9, 7.1e9, 0.0139, nodes=5, paths_examined=3, paths_listed=40, message="better plan")
    assert describe(full) == "   12.3 s  solve  paths 3 of 40  best 7.2 bn USD  bound 7.1 bn USD  gap 1.39%  nodes 5  better plan"
    assert describe(Progress("read")) == "    0.0 s  read"


def test_lines_are_held_back_unless_something_new_happened() -> None:
    now, stream = [0.0], io.StringIO()
    tell = LineReporter(stream, interval=5.0, clock=lambda: now[0])
    for second, event in (
        (0.0, Progress("solve", 0.0, 10.0)),
        (1.0, Progress("solve", 1.0, 10.0, 5.0)),  # only the bound moved: held back
        (2.0, Progress("solve", 2.0, 9.0, 5.0)),  # a better plan
        (6.9, Progress("solve", 6.9, 9.0, 6.0)),
        (7.1, Progress("solve", 7.1, 9.0, 6.0)),  # long enough since the last line
        (7.2, Progress("extract", 7.2, 9.0)),  # another phase
    ):
        now[0] = second
        tell(event)
    tell.close()
    assert [line.split()[0] for line in stream.getvalue().splitlines()] == ["0.0", "2.0", "7.1", "7.2"]


def test_reporter_suits_the_stream() -> None:
    assert isinstance(reporter(Terminal()), LiveReporter)
    assert isinstance(reporter(io.StringIO()), LineReporter)
    assert isinstance(reporter(Terminal(), quiet=True), SilentReporter)


def test_quiet_writes_nothing() -> None:
    stream = Terminal()
    tell = reporter(stream, quiet=True)
    tell(Progress("solve", 1.0, 5.0))
    tell.close()
    assert stream.getvalue() == ""


def test_live_line_shows_the_event_and_is_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    tell = LiveReporter(stream)
    tell.close()  # closing before anything happened is fine
    tell(Progress("solve", 1.0, 7.2e9, 7.1e9, 0.0139, paths_examined=3, paths_listed=40))
    tell(Progress("extract", 2.0, 7.2e9, message="writing"))
    tell.close()
    tell.close()
    text = stream.getvalue()
    assert "extract" in text
    assert "7.2 bn USD" in text
    assert text.endswith("\x1b[1A\x1b[2K")  # back to the line, and wiped


def test_nothing_is_printed_without_a_listener(capfd: pytest.CaptureFixture[str]) -> None:
    Session(market_split(2, 10), threads=1).solve(time_limit=0.2)
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")


def test_first_interrupt_asks_the_solve_to_stop_with_its_plan() -> None:
    session = Session(market_split(), threads=1)
    timer = threading.Timer(0.4, signal.raise_signal, (signal.SIGINT,))
    before = signal.getsignal(signal.SIGINT)
    with keep_plan_on_interrupt(session.stop_event):
        timer.start()
        answer = session.solve(time_limit=60)
        timer.join()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert answer.limit == "interrupt"
    assert answer.values is not None
    assert signal.getsignal(signal.SIGINT) == before


def test_interrupts_are_left_alone_in_other_threads() -> None:
    before = signal.getsignal(signal.SIGINT)
    seen: list[object] = []

    def work() -> None:
        with keep_plan_on_interrupt(threading.Event()):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]
