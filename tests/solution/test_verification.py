"""The verifier against tampering: each kind of lie about a plan is caught and named by the rule it breaks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import orepact
from orepact.options import SolveOptions
from orepact.solution.solution import load
from orepact.solution.verification.findings import TOLERANCE
from orepact.solution.verification.rules import RULES
from orepact.solver.result import Status
from tampering import NAMES, ROOT, TAMPERING, NotHereError, instance_of, plan_of, solved


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_of_tampering_is_caught_and_named(name: str) -> None:
    solution, missed, tried = solved(name), [], 0
    assert solution.certificate is not None
    assert solution.certificate.holds
    for kind, (spoil, rules) in TAMPERING.items():
        plan = plan_of(solution, instance_of(name))
        try:
            spoil(plan)
        except NotHereError:
            continue
        tried += 1
        broken = {result.rule for result in plan.certificate().results if result.failed}
        if not broken & rules:
            missed.append((kind, broken))
    assert missed == []
    assert tried >= 20


def test_every_kind_of_tampering_is_tried_somewhere() -> None:
    left = set(TAMPERING)
    for name in NAMES:
        for kind in list(left):
            try:
                TAMPERING[kind][0](plan_of(solved(name), instance_of(name)))
            except NotHereError:
                continue
            left.discard(kind)
    assert left == set()


def test_a_violation_says_where_and_what() -> None:
    plan = plan_of(solved("smelter"), instance_of("smelter"))
    plan.scale("payments", "usd_a", 2.0, instrument="levy")
    certificate = plan.certificate()
    assert not certificate.holds
    rule, worst = next((rule, violation) for rule, violation in certificate.failures if rule == "payments")
    assert "payments.csv, USA, levy" in worst.row
    assert worst.stated == pytest.approx(2 * float(worst.derived))  # type: ignore[arg-type]
    assert worst.residual > TOLERANCE
    assert any(line.startswith(f"{rule}: payments.csv, USA, levy") for line in certificate.explain(100))
    assert "certificate failed" in certificate.sentence()


def test_a_lie_within_the_tolerance_is_rounding_and_one_above_it_is_not() -> None:
    for factor, holds in ((1 + 1e-7, True), (1 + 1e-5, False)):
        plan = plan_of(solved("border"), instance_of("border"))
        plan.scale("balance", "demand", factor)
        assert plan.certificate().holds is holds


@pytest.mark.parametrize("name", NAMES)
def test_the_planner_is_verified_too(name: str) -> None:
    solution = solved(name, "planner")
    assert solution.certificate is not None
    assert solution.certificate.holds
    assert any("second accounting" in text for text in solution.certificate.not_checked)
    plan = plan_of(solution, instance_of(name))
    plan.scale("rung_mix", "weight", 0.5)
    assert {"prices"} <= {result.rule for result in plan.certificate().results if result.failed}


# ---- from solve to the run folder ------------------------------------------------------------------------------------
def test_a_run_keeps_its_instance_and_its_certificate(tmp_path: Path) -> None:
    solution = solved("stock")
    folder = solution.save(tmp_path / "run")
    again = load(folder)
    assert again.certificate == solution.certificate
    assert orepact.verify(folder) == solution.certificate
    assert orepact.read(folder / "instance") == instance_of("stock")
    assert (folder / "certificate.csv").read_text(encoding="utf-8").startswith("rule,part,law,rows,residual,failed,verdict\n")
    assert contents(again.save(tmp_path / "copy")) == contents(folder)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


WITHOUT_PYOMO = """
import sys
import orepact
certificate = orepact.verify(sys.argv[1])
assert certificate.holds, certificate.explain()
loaded = {name.split(".")[0] for name in sys.modules}
assert not loaded & {"pyomo", "highspy"}, loaded & {"pyomo", "highspy"}
rooms = {name for name in sys.modules if name.startswith(("orepact.market", "orepact.formulation", "orepact.solution.extraction"))}
assert not rooms, rooms
"""


def test_a_stored_run_is_verified_without_a_solver(tmp_path: Path) -> None:
    folder = solved("routes").save(tmp_path / "run")
    subprocess.run([sys.executable, "-c", WITHOUT_PYOMO, str(folder)], check=True)


def test_another_instance_is_told_apart(tmp_path: Path) -> None:
    folder = solved("border").save(tmp_path / "run")
    assert orepact.verify(folder, ROOT / "tests" / "data" / "border").holds
    other = instance_of("border").with_setting("economics.social_rate", 0.2)
    broken = {result.rule for result in orepact.verify(folder, other).results if result.failed}
    assert {"instance", "cost terms"} <= broken


def test_a_changed_setting_is_kept(tmp_path: Path) -> None:
    instance = instance_of("border").with_setting("economics.social_rate", 0.07)
    solution = orepact.solve(instance, SolveOptions(threads=1, progress=False, neighbours=False))
    folder = solution.save(tmp_path / "run")
    assert orepact.verify(folder).holds
    assert orepact.verify(folder, ROOT / "tests" / "data" / "border").holds  # the run's own settings are put on it


def test_a_certificate_that_fails_is_a_status_of_its_own() -> None:
    plan = plan_of(solved("border"), instance_of("border"))
    plan.summary["objective"] *= 2
    failed = solved("border").certified(plan.certificate())
    assert failed.result.status is Status.CERTIFICATE_FAILED
    assert failed.result.exit_code == 6
    assert failed.has_plan
    text = orepact.plan_card_text(failed)
    assert "Certificate failed" in text
    assert "solution.json, objective" in text
    assert "checked independently" in orepact.plan_card_text(solved("border"))


def test_countries_lost_on_request_are_verified() -> None:
    options = SolveOptions(threads=1, progress=False, neighbours=False, lose_countries=True)
    solution = orepact.solve(instance_of("smelter"), options)
    assert solution.certificate is not None
    assert solution.certificate.holds
    assert {"lose_USA", "lose_AUS"} <= set(solution.table("scenarios")["scenario"])
    assert any("lose_CHN" in text for text in solution.certificate.not_checked)  # without the only seller there is no solution


def test_every_rule_says_what_it_says_in_the_docs() -> None:
    page = (ROOT / "docs" / "trust.md").read_text(encoding="utf-8")
    assert [rule.name for rule in RULES.values() if f"| {rule.name} | {rule.part} | {rule.law} |" not in page] == []
