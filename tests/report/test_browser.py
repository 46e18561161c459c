"""Reports opened in headless Chromium: silent, drawn, and with every figure of the first screen equal to its table."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

import orepact
from opened_page import Opened, opened
from orepact.report.charts.style import Chart
from orepact.report.written import Report, comparison_of, report_on
from orepact.solution.solution import Solution
from tutorial_runs import hostile, plan, variants

MAGNET = Path(__file__).parents[2] / "instances" / "magnet-rare-earths"
MOST_BYTES = 8_000_000


def written(report: Report, folder: Path) -> Path:
    return report.save(folder, ["html"])[0]


def charts_of(report: Report) -> int:
    return sum(isinstance(item, Chart) for section in report.document.sections for item in section.items)


def check(browser: Browser, report: Report, folder: Path, width: int = 1280, plan: bool = True) -> None:
    """What must hold for every report: small, silent, drawn, no wider than the screen, figures that equal their cells."""
    file = written(report, folder)
    assert file.stat().st_size < MOST_BYTES
    with opened(browser, file, width) as shown:
        assert (shown.console, shown.requests, shown.dialogs) == ([], [], [])
        assert shown.page.locator(".plot[data-ready]").count() == charts_of(report)
        drawn = shown.page.evaluate(
            "[...document.querySelectorAll('.plot')].map(p => Boolean(p.querySelector('svg.main-svg') && p.getAttribute('aria-label')))"
        )
        assert all(drawn)
        assert shown.page.evaluate("document.documentElement.scrollWidth") <= width
        if plan:
            figures_equal_their_cells(shown, report)


SIZES = {"bn USD": 1e9, "MUSD": 1e6, "USD": 1.0, "USD/t": 1.0, "MUSD/a": 1e6, "USD/a": 1.0, "kt": 1e3, "t": 1.0, "%": 0.01, "s": 1.0}


def figures_equal_their_cells(shown: Opened, report: Report) -> None:
    """Each number in running text, first screen or not: its table, row and column hold that number, as far as it is written out."""
    figures = shown.page.evaluate("[...document.querySelectorAll('.fig')].map(f => [f.textContent, f.dataset.table, f.dataset.row, f.dataset.column])")
    assert figures
    for text, name, row, column in figures:
        cell = float(report.tables[name].iloc[int(row)][column])
        assert any(abs(value - cell) <= rounding for value, rounding in read(text)), (text, name, row, column, cell)


def read(text: str) -> list[tuple[float, float]]:
    """A number as written, and half of its last digit; in any unit where the unit is left to the number beside it."""
    digits, _, unit = text.partition(" ")
    value = float(digits.replace(",", ""))
    last = 0.5001 * 10.0 ** -len(digits.partition(".")[2])
    return [(value * size, last * size) for size in ([SIZES[unit]] if unit else set(SIZES.values()))]


@pytest.mark.parametrize("width", [1280, 390])
def test_a_report_is_silent_and_true(browser: Browser, tmp_path: Path, width: int) -> None:
    check(browser, report_on(plan()), tmp_path, width)


def test_a_comparison_is_silent_and_true(browser: Browser, tmp_path: Path) -> None:
    check(browser, comparison_of({name: solution for name, (_, solution) in variants().items()}), tmp_path)


def test_text_from_an_instance_stays_text(browser: Browser, tmp_path: Path) -> None:
    """Scripts, formulas, markup, endless and non-Latin names: nothing runs, nothing is asked for, everything is shown."""
    check(browser, report_on(hostile()), tmp_path)
    check(browser, comparison_of({"<script>alert(1)</script>": hostile(), "=cmd()": plan()}), tmp_path)
    with opened(browser, written(report_on(hostile()), tmp_path)) as shown:
        assert shown.page.title().startswith("<script>")
        assert shown.page.locator("main script, main img, main a[href^=javascript], main a[href^=http], .plot a").count() == 0
        assert "<script>alert('x')</script>" in shown.page.locator("main").inner_text()


def test_a_script_that_slipped_through_would_not_run(browser: Browser, tmp_path: Path) -> None:
    """The page's policy names the scripts that may run by their digests."""
    html = report_on(plan()).html.replace("<h1>", "<h1><img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>")
    file = tmp_path / "broken.html"
    file.write_text(html, encoding="utf-8")
    with opened(browser, file) as shown:
        assert shown.page.title() != "run"
        assert any("Content Security Policy" in line for line in shown.console)


def test_tables_sort_and_download(browser: Browser, tmp_path: Path) -> None:
    report = report_on(plan())
    with opened(browser, written(report, tmp_path)) as shown:
        table = shown.page.locator("#projects table.grid").first
        head = table.locator("th", has_text="without policy").locator("button")
        values = [row["npv_without_usd"] for row in report.tables["projects"].to_dict("records")]
        for order in (sorted(values), sorted(values, reverse=True)):
            head.click()
            column = next(n for n, text in enumerate(table.locator("th").all_inner_texts()) if "without policy" in text)
            seen = [float(cell.get_attribute("data-v") or "nan") for cell in table.locator(f"tbody tr td:nth-child({column + 1})").all()]
            assert seen == pytest.approx(order)
        with shown.page.expect_download() as download:
            shown.page.locator("#projects figure button.get").first.click()
        lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
        assert lines[0].split(",")[0] == "facility"
        assert len(lines) == 1 + len(values)
        assert shown.silent


def test_it_prints(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, written(report_on(plan()), tmp_path)) as shown:
        content = shown.page.pdf(prefer_css_page_size=True, print_background=True)
        assert content.startswith(b"%PDF")
        assert shown.silent


@pytest.mark.slow
def test_five_variants_of_the_magnet_instance(browser: Browser, tmp_path: Path) -> None:
    """Free trade, contracts only, reference prices only, the full package, a cap of 50 %: reports and their comparison."""
    runs = magnet_variants()
    for name, solution in runs.items():
        check(browser, report_on(solution), tmp_path / name, plan=solution.has_plan)
    compared = comparison_of(runs)
    check(browser, compared, tmp_path)
    check(browser, compared, tmp_path, 390)
    assert compared.tables["runs"]["run"].tolist() == list(runs)


def magnet_variants() -> dict[str, Solution]:
    """Solved roughly, with a limit of a minute each: what matters here is how they are shown, plan or no plan."""
    central = orepact.read(MAGNET)
    ladder, targets = central.table("ladder"), central.table("targets")
    no_grants = central.table("aid_limits").assign(grant_share=0.0)
    tight = targets.assign(value=targets["value"].where(targets["kind"] != "reliance_cap", 0.5))
    options = orepact.SolveOptions(gap=0.01, time_limit=60, stress=False, progress=False, max_paths=12)
    changed = {
        "contracts only": central.with_tables({"ladder": [], "price_paths": []}),
        "reference prices only": central.with_tables(
            {"ladder": ladder[ladder["kind"] == "reference"], "price_paths": [], "contracts": [], "aid_limits": no_grants}
        ),
        "full package": central,
        "cap of 50 %": central.with_table("targets", tight),
    }
    free = orepact.evaluate(central, orepact.package_from({"rest": "none"}, central), options)
    return {"free trade": free} | {name: orepact.solve(instance, options) for name, instance in changed.items()}
