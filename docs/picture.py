"""Draw the README's picture from a stored run: each target before (no policy) and after, against what it asks.

    python docs/picture.py RUN

Writes docs/answer.svg. Bars are read against 0 to 100 %; days of stock are left to the plan card.
"""

from __future__ import annotations

import argparse
from html import escape
from pathlib import Path

import pandas as pd

import orepact

WIDTH, LEFT, ROW, BAR, TOP = 860, 270, 34, 9, 58
SCALE = WIDTH - LEFT - 90
BEFORE, AFTER, ASKED = "#b9c2cc", "#1f4e79", "#b3261e"
STYLE = "font-family:system-ui,sans-serif;font-size:13px;fill:#222"


def main() -> None:
    """Read the run named and write the picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path)
    rows = tightest(orepact.load(parser.parse_args().run).table("targets"))
    (Path(__file__).parent / "answer.svg").write_text(picture(rows), encoding="utf-8")


def tightest(targets: pd.DataFrame) -> pd.DataFrame:
    """One row per target that is a share: where the plan has the least slack."""
    shares = targets[targets["kind"] != "stock_days"]
    return shares.loc[shares.groupby("target", sort=False)["slack"].idxmin()]


def picture(rows: pd.DataFrame) -> str:
    """The rows as SVG."""
    height = TOP + ROW * len(rows) + 16
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" style="{STYLE}">']
    parts.append("<title>Targets and caps before and after the plan, at their tightest</title>")
    parts.append(f'<rect width="{WIDTH}" height="{height}" fill="white"/>')
    for n, (colour, text) in enumerate(((BEFORE, "without policy"), (AFTER, "with the plan"), (ASKED, "asked: at most (◂) or at least (▸)"))):
        x = LEFT + 150 * n
        parts.append(f'<rect x="{x}" y="18" width="12" height="12" fill="{colour}"/><text x="{x + 18}" y="29">{text}</text>')
    for place, row in enumerate(rows.to_dict("records")):
        y = TOP + ROW * place
        cap = row["kind"] == "reliance_cap"
        before, after, asked = (min(1.0, max(0.0, float(row[name]))) for name in ("before", "achieved", "value"))
        parts.append(f'<text x="{LEFT - 12}" y="{y + 15}" text-anchor="end">{escape(str(row["target"]))}</text>')
        for k, (value, colour) in enumerate(((before, BEFORE), (after, AFTER))):
            parts.append(f'<rect x="{LEFT}" y="{y + k * (BAR + 1)}" width="{value * SCALE:.1f}" height="{BAR}" fill="{colour}"/>')
        mark = LEFT + asked * SCALE
        parts.append(f'<line x1="{mark:.1f}" x2="{mark:.1f}" y1="{y - 4}" y2="{y + 2 * BAR + 5}" stroke="{ASKED}" stroke-width="2"/>')
        parts.append(f'<text x="{mark + (-14 if cap else 4):.1f}" y="{y - 1}" style="fill:{ASKED};font-size:11px">{"◂" if cap else "▸"}</text>')
        parts.append(f'<text x="{WIDTH - 80}" y="{y + 15}">{before:.0%} → {after:.0%}</text>')
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    main()
