"""The chain from mine to last product by true origin, and the merit order of each product.

The chain of a mineral is its last product (the one that most of it ends in) and everything that becomes it. Tonnes at different
stages are made comparable by saying how much of the last product they are enough for, from the recipes that plants use.

True origin: what an outside country sells counts to the countries that its feed of mined products comes from; what the zone makes
counts to the origin of its feed, mixed in proportion at every stage; what the zone mines counts to the country of the mine.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from orepact.analysis.derived import Frame, Row, records
from orepact.analysis.view import View

USE, EXPORT, STOCK = "use in the zone", "sold outside", "public stock"
ROUNDS = 40
"""Passes over the chain until origins settle; only loops, such as recycling, need more than its depth."""

Mix = dict[str, float]
"""Shares by country of true origin; they add up to 1."""


class Chain:
    """Recipes, amounts and origins of the year shown in the reference scenario."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.recipe: dict[str, dict[str, float]] = defaultdict(dict)
        for row in records(view.table("recipes")):
            self.recipe[row["process"]][row["product"]] = row["amount"]
        self.made = self._made()
        flows = view.table("flows")
        now = (flows["scenario"] == view.reference) & (flows["first_year"] == view.year)
        imports = flows[now & (flows["kind"] == "import")]
        self.imports = {(str(p), str(o)): float(t) for (p, o), t in imports.groupby(["product", "origin"])["amount_t_a"].sum().items()}
        balance = view.table("balance")
        balance = balance[(balance["scenario"] == view.reference) & (balance["first_year"] == view.year)]
        self.balance = balance.groupby("product")[["demand", "shortage", "exports", "glut", "overflow", "purchases", "release"]].sum()
        self.raw = {p for r in self.recipe.values() for p, a in r.items() if a > 0} - {
            p for r in self.recipe.values() if any(a < 0 for a in r.values()) for p, a in r.items() if a > 0
        }
        self.mix = self._mixes()

    def _made(self) -> dict[tuple[str, str], float]:
        """Main output by process and country."""
        output = self.view.table("output")
        output = output[(output["scenario"] == self.view.reference) & (output["first_year"] == self.view.year)]
        found: dict[tuple[str, str], float] = defaultdict(float)
        for facility, amount in zip(output["facility"], output["output_t_a"], strict=True):
            plant = self.view.plants[facility]
            found[str(plant["process"]), str(plant["country"])] += float(amount)
        return {key: amount for key, amount in found.items() if amount > 1e-6}

    def sold_origin(self, product: str, seller: str) -> Mix:
        """True origin of what an outside country sells."""
        table = self.view.table("origins")
        own = table[(table["source"] == seller) & (table["product"] == product) & table["feed"].isin(self.raw)]
        total = float(own["amount"].sum())
        if product in self.raw or total <= 0:
            return {seller: 1.0}
        return {str(code): float(amount) / total for code, amount in own.groupby("origin")["amount"].sum().items()}

    def _mixes(self) -> dict[str, Mix]:
        """True origin of the zone's pool of each product."""
        products = dict.fromkeys([*(p for p, _ in self.imports), *(p for r in self.recipe.values() for p in r)])
        sold = {key: self.sold_origin(*key) for key in self.imports}
        mix: dict[str, Mix] = {product: {} for product in products}
        for _ in range(ROUNDS):
            fresh = {}
            for product in products:
                pool: Mix = defaultdict(float)
                for (name, seller), tonnes in self.imports.items():
                    if name == product:
                        _pour(pool, sold[name, seller], tonnes)
                for (process, country), amount in self.made.items():
                    share = self.recipe[process].get(product, 0.0)
                    if share > 0:
                        _pour(pool, self.feed_origin(process, country, mix), share * amount)
                total = sum(pool.values())
                fresh[product] = {code: tonnes / total for code, tonnes in pool.items()} if total > 0 else {}
            if fresh == mix:
                break
            mix = fresh
        return mix

    def feed_origin(self, process: str, country: str, mix: dict[str, Mix]) -> Mix:
        """True origin of what a process makes in a country: that of its feed, or the country itself where it digs or collects."""
        pool: Mix = defaultdict(float)
        for product, amount in self.recipe[process].items():
            if amount < 0 and mix.get(product):
                _pour(pool, mix[product], -amount)
        total = sum(pool.values())
        return {code: tonnes / total for code, tonnes in pool.items()} if total > 0 else {country: 1.0}

    def becomes(self, product: str) -> dict[str, float]:
        """Tonnes of each product that a product is made into, over processes in use (main outputs and by-products)."""
        found: dict[str, float] = defaultdict(float)
        for (process, _), amount in self.made.items():
            if self.recipe[process].get(product, 0.0) < 0:
                for other, share in self.recipe[process].items():
                    if share > 0:
                        found[other] += share * amount
        return found


def _pour(pool: Mix, mix: Mix, tonnes: float) -> None:
    for code, share in mix.items():
        pool[code] = pool.get(code, 0.0) + share * tonnes


def chain_links(view: View) -> Iterator[Row]:
    """Links of every mineral's chain; none where the run does not hold the recipes."""
    if view.table("recipes").empty:
        return
    chain = Chain(view)
    for mineral in dict.fromkeys(mineral for mineral, _ in view.stages.values()):
        yield from _mineral_links(chain, mineral)


def _mineral_links(chain: Chain, mineral: str) -> Iterator[Row]:
    last = _last_product(chain, mineral)
    if last is None:
        return
    worth = _worth(chain, mineral, last)
    for row in _links(chain, worth):
        yield {"mineral": mineral, "last_product": last, **row}


def _last_product(chain: Chain, mineral: str) -> str | None:
    """Where most of a mineral ends: the product with the largest final demand among those that its products become."""
    own = [product for product, (name, _) in chain.view.stages.items() if name == mineral]
    reached, waiting = set(own), list(own)
    while waiting:
        for other in chain.becomes(waiting.pop()):
            if other not in reached:
                reached.add(other)
                waiting.append(other)
    wanted = {p: float(chain.balance.at[p, "demand"]) for p in reached if p in chain.balance.index and chain.balance.at[p, "demand"] > 0}
    return max(wanted, key=lambda p: wanted[p]) if wanted else None


def _worth(chain: Chain, mineral: str, last: str) -> dict[str, float]:
    """Tonnes of the last product that a tonne of each product of the chain is enough for."""
    worth = {last: 1.0}
    own = {product for product, (name, _) in chain.view.stages.items() if name == mineral} | {last}
    for _ in range(len(chain.view.stages)):
        for product in chain.view.stages:
            if product in worth:
                continue
            found, used = 0.0, 0.0
            for (process, _country), amount in chain.made.items():
                recipe = chain.recipe[process]
                outputs = sum(share * worth[other] for other, share in recipe.items() if share > 0 and other in worth and other != product)
                inside = [-share for other, share in recipe.items() if share < 0 and (other == product or other in own)]
                if recipe.get(product, 0.0) < 0 and outputs > 0:
                    found += outputs * amount * -recipe[product] / sum(inside)
                    used += -recipe[product] * amount
            if used > 0 and (product in own or not _joined(chain, product, own)):
                worth[product] = found / used
    return worth


def _joined(chain: Chain, product: str, own: set[str]) -> bool:
    """Whether a product of another mineral is used only beside one of this chain, which then carries the chain."""
    users = [chain.recipe[process] for process, _ in chain.made if chain.recipe[process].get(product, 0.0) < 0]
    return any(share < 0 and other in own and other != product for recipe in users for other, share in recipe.items())


def _links(chain: Chain, worth: dict[str, float]) -> Iterator[Row]:
    def link(start: str, end: str, mix: Mix, tonnes: float, each: float, via: str = "") -> Iterator[Row]:
        for origin, share in mix.items():
            if share * tonnes * each > 1e-6:
                moved = share * tonnes
                yield {"from": start or origin, "to": end, "origin": origin, "via": via, "tonnes_a": moved, "equivalent_t_a": moved * each}

    entering: dict[tuple[str, str], list[tuple[float, str]]] = defaultdict(list)
    for (product, seller), tonnes in chain.imports.items():
        for origin, share in chain.sold_origin(product, seller).items() if product in worth else ():
            entering[product, origin].append((share * tonnes, seller))
    for (process, country), amount in chain.made.items():
        recipe = chain.recipe[process]
        inputs = {product: -share for product, share in recipe.items() if share < 0 and product in worth}
        for product, share in recipe.items():
            if share > 0 and product in worth and not any(a < 0 for a in recipe.values()):
                entering[product, country].append((share * amount, ""))
        total = sum(inputs.values())
        outputs = {product: share for product, share in recipe.items() if share > 0 and product in worth}
        made = sum(share * worth[product] for product, share in outputs.items())
        for product, used in inputs.items():
            for other, share in outputs.items():
                part = share * worth[other] / made
                if used / total > 0 and other != product:
                    yield from link(product, other, chain.mix.get(product, {}), used * amount * part, worth[product])
    for (product, origin), parts in entering.items():
        tonnes = sum(amount for amount, _ in parts)
        via = ", ".join(dict.fromkeys(seller for _, seller in parts if seller and seller != origin))
        yield from link("", product, {origin: 1.0}, tonnes, worth[product], via)
    for product, each in worth.items():
        if product in chain.balance.index:
            row, mix = chain.balance.loc[product], chain.mix.get(product, {})
            for end, tonnes in (
                (USE, row["demand"] - row["shortage"]),
                (EXPORT, row["exports"] + row["glut"] + row["overflow"]),
                (STOCK, row["purchases"]),
            ):
                yield from link(product, end, mix, float(tonnes), each)


def merged(links: Frame) -> Frame:
    """Links between the same ends and of the same origin as one."""
    key = ["mineral", "last_product", "from", "to", "origin"]
    if links.empty:
        return links
    sums = links.groupby(key, sort=False, as_index=False)[["tonnes_a", "equivalent_t_a"]].sum()
    via = links.groupby(key, sort=False, as_index=False)["via"].first()
    return sums.merge(via, on=key)[list(links.columns)]


def merit_order(view: View) -> Iterator[Row]:
    """Steps of the supply curve, cheapest first."""
    table = view.table("supply")
    table = table[table["first_year"] == view.year]
    prices = view.table("prices")
    prices = prices[(prices["scenario"] == view.reference) & (prices["first_year"] == view.year)].set_index("product")
    rungs = view.table("rungs")
    rungs = rungs[rungs["first_year"] == view.year].set_index("product")["rung"]
    for product, own in table.groupby("product", sort=False):
        begin = 0.0
        for row in records(own.sort_values(["cost_usd_t", "seller"])):
            end = begin + row["available_t_a"]
            same = {name: row[name] for name in ("seller", "name", "country", "kind", "cost_usd_t", "full_cost_usd_t", "sold_t_a", "state")}
            yield {
                "product": product,
                "first_year": view.year,
                **same,
                "from_t_a": begin,
                "to_t_a": end,
                "world_price": float(prices.at[product, "world_price"]),
                "zone_price": float(prices.at[product, "zone_price"]),
                "rung": rungs.get(product, ""),
            }
            begin = end
