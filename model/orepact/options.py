"""Frozen, validated options: the only place with defaults; an unknown key is an error.

Two groups. `Settings` is what `instance.toml` says about the world and the policy question; it is
part of the instance and of its digest. `SolveOptions` is how one run goes about answering.
Rates are shares per year (0.03 = 3 %), shares are 0..1, money is real USD of the base year.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from orepact.texts import LONGEST, LONGEST_NAME, UNSAFE, UNSAFE_RULE

Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(ge=0, le=1)]


def _shows(text: str) -> str:
    if UNSAFE.search(text):
        raise ValueError(UNSAFE_RULE)
    return text


def _names_a_folder(name: str) -> str:
    if name.endswith(".") or name.partition(".")[0].upper() in RESERVED:
        raise ValueError("is no name for a folder on every system: it ends in a dot, or Windows keeps it for a device")
    return name


RESERVED = {"CON", "PRN", "AUX", "NUL", *(f"{device}{n}" for device in ("COM", "LPT") for n in range(10))}
"""Names of devices on Windows."""

Line = Annotated[str, Field(max_length=LONGEST_NAME), AfterValidator(_shows)]
"""Text that reports print on one line."""

Prose = Annotated[str, Field(max_length=LONGEST), AfterValidator(_shows)]
"""Text of any sane length."""

FolderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"), AfterValidator(_names_a_folder)]


class Frozen(BaseModel):
    """What all options share: they never change, an unknown key is an error, and every number is finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, str_strip_whitespace=True)


class InstanceSection(Frozen):
    """[instance]: what it is called."""

    name: FolderName = Field(description="short name; the run folder carries it")
    title: Line = Field(default="", description="one line for people")
    description: Prose = Field(default="", description="what question the instance asks")
    format: Literal[1] = Field(default=1, description="version of the instance format")
    licence: Prose = Field(default="", description="licence of the data")
    price_base_year: int = Field(default=2025, ge=1900, le=2200, description="year whose money all prices are in")


class HorizonSection(Frozen):
    """[horizon]: the years planned for, in periods of any length."""

    start_year: int = Field(ge=1900, le=2200, description="first year of the first period")
    period_years: tuple[Annotated[int, Field(ge=1, le=50)], ...] = Field(min_length=1, max_length=60, description="length of each period in years")


class EconomicsSection(Frozen):
    """[economics]: how costs are counted."""

    social_rate: Rate = Field(default=0.03, description="real social discount rate per year")
    public_money_premium: float = Field(
        default=0.25, ge=0, le=5, description="cost premium of public money (lambda): what a dollar of taxes costs beyond itself"
    )
    cvar_weight: Share = Field(default=0.0, description="weight of the worst outcomes in the objective (omega)")
    cvar_level: float = Field(default=0.9, ge=0, lt=1, description="share of outcomes that are not 'the worst' (beta)")
    perimeter: Literal["members", "zone"] = Field(default="members", description="whose costs count: members, or partners too")
    levy_capture: Share = Field(default=0.9, description="share of a levy that reaches the treasury (rho); the rest leaks abroad")
    levy_pooled: bool = Field(default=False, description="levy revenue is shared by demand instead of staying with the importer")
    resale: Share = Field(default=0.8, description="what surplus tonnes fetch abroad, as a share of the world price")
    export_discount: Share = Field(default=0.02, description="discount on the world price for ordinary exports")


class OwnersSection(Frozen):
    """[owners]: what it takes for an owner and its lenders to sign."""

    rent_cap: float = Field(default=0.15, ge=0, le=100, description="largest net present value a supported owner may keep, share of capital cost")
    cover: float = Field(default=1.2, ge=0, le=10, description="debt service cover that lenders ask for in downside scenarios; 0 switches the test off")
    debt_share: Share = Field(default=0.55, description="share of capital cost financed by debt")
    debt_rate: Rate = Field(default=0.07, description="interest rate of that debt")
    debt_tenor: int = Field(default=12, ge=1, le=60, description="years over which the debt is repaid")
    repeal_weight: Share = Field(default=0.0, description="weight lenders give to the floors being repealed (theta)")
    grant_cap: Share = Field(default=0.0, description="largest grant, share of capital cost, where aid_limits says nothing")
    entry: Literal["free", "duty"] = Field(
        default="free", description="free: a plant that could pay its way may be kept out; duty: whoever can earn its cost builds"
    )


class TradeSection(Frozen):
    """[trade]: how outside suppliers share the market."""

    band: Share = Field(default=0.05, description="each source's share of imports may leave its base share by this much, normal scenarios")


class PolicySection(Frozen):
    """[policy]: how price measures may move."""

    max_step: int = Field(default=1, ge=0, le=100, description="rungs a ladder may move between consecutive periods; 0 = any")
    revision_years: tuple[int, ...] = Field(default=(), description="years in which rungs may change; empty = at every period")
    reference_scenario: Line = Field(default="", description="scenario whose prices decide main products; empty = the likeliest")
    outage_years: float = Field(default=0.5, gt=0, le=10, description="length of the outage in N-1 targets, where the target says nothing")


class Settings(Frozen):
    """Everything `instance.toml` may say besides units."""

    instance: InstanceSection
    horizon: HorizonSection
    economics: EconomicsSection = EconomicsSection()
    owners: OwnersSection = OwnersSection()
    trade: TradeSection = TradeSection()
    policy: PolicySection = PolicySection()

    @model_validator(mode="after")
    def revision_years_are_period_starts(self) -> Settings:
        starts, year = set(), self.horizon.start_year
        for n in self.horizon.period_years:
            starts.add(year)
            year += n
        wrong = [y for y in self.policy.revision_years if y not in starts]
        if wrong:
            raise ValueError(f"policy.revision_years must be first years of periods {sorted(starts)}, not {wrong}")
        return self


class SolveOptions(Frozen):
    """How one run goes about answering."""

    behaviour: Literal["market", "planner"] = Field(
        default="market", description="market: owners respond to policy; planner: the first best, a bound on every policy"
    )
    method: Literal["paths", "milp"] = Field(default="paths", description="paths: search price paths one by one; milp: all listed paths in one model")
    gap: float = Field(default=0.001, ge=0, le=1, description="relative gap at which a plan counts as proven")
    time_limit: float = Field(default=300.0, gt=0, le=1e7, description="seconds for the whole run")
    threads: int = Field(default=0, ge=0, le=256, description="threads for the solver; 0 = as many as there are cores")
    seed: int = Field(default=0, ge=0, le=2**31 - 1, description="random seed of the solver")
    solver: Line = Field(default="highs", description="highs, or the name of a solver that Pyomo can reach")
    path_list: int = Field(default=0, ge=0, le=10000, description="use only the first so many listed paths; 0 = all")
    neighbours: bool = Field(default=True, description="improve the best listed path by neighbouring paths")
    max_paths: int = Field(default=400, ge=1, le=100000, description="examine at most so many distinct paths")
    own_paths_only: bool = Field(default=False, description="examine only the paths of the instance's own table")
    stress: bool = Field(default=True, description="play the zero-probability stress tests against the plan")
    lose_countries: bool = Field(default=False, description="add a stress test 'lose country c' for every source and host country")
    baseline: bool = Field(default=True, description="solve the no-policy baseline too")
    confirm: Literal["no", "highs", "scip"] = Field(
        default="no", description="solve a second time to confirm the bound: highs with other settings, or scip (PySCIPOpt, an extra)"
    )
    confirm_time: float = Field(default=600.0, gt=0, le=1e7, description="seconds for that, beside the time of the run")
    presolve: bool = Field(default=True, description="let the solver simplify each model first; off is slower, and safer where the solver fails")
    isolated: bool = Field(default=True, description="solve in a child process, so that the caller survives whatever happens to the solver")
    memory_limit: float = Field(
        default=0.0, ge=0, le=1e9, description="most memory for the child process, MB; 0 = nine tenths of the machine's, shared by cases of a sweep"
    )
    explain: bool = Field(default=True, description="where there is no plan, find out why and what would give one")
    explain_time: float = Field(default=120.0, gt=0, le=1e7, description="seconds for that, beside the time of the run")
    relax: bool = Field(default=False, description="where there is no plan, solve the nearest question that has one and mark what was bent")
    progress: bool = Field(default=True, description="report progress while solving")
