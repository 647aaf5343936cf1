"""What a study's table marks: gains no larger than the control's, what is best beyond noise, what one would choose."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from bird_backend.measures import difference_by_seed, mean_by_seed, over_seeds
from bird_backend.measures.figures import FIGURES, Figure, GroupShares
from bird_backend.studies.entries import Entry, Remark, Row

__all__ = ["CHOOSING", "AllShares", "compared_with_control", "with_best", "with_choice"]

AllShares = Mapping[str, GroupShares]
"""By variant."""
CHOOSING = ("validation_robust", "validation")
"""What an ablation's setting is chosen by, never by a test figure: the first of these that there is."""


def compared_with_control(rows: Sequence[Row], shares: AllShares) -> list[Row]:
    """Each contender's gain with a remark where it is no more than the control's (the largest of several)."""
    controls = [row for row in rows if row.variant.role == "control" and row.entries["gain"].value is not None]
    if not controls:
        return list(rows)
    control = max(controls, key=lambda row: row.entries["gain"].value or 0.0)
    return [
        _remarked(row, control, shares)
        if row.variant.role == "contender" and row.entries["gain"].value is not None
        else row
        for row in rows
    ]


def _remarked(row: Row, control: Row, shares: AllShares) -> Row:
    ahead = difference_by_seed(*(shares[key].get("robust", {}) for key in (row.variant.key, control.variant.key)))
    if ahead is None or ahead.low > 0:
        return row
    remark: Remark = "smaller than the control's" if ahead.value < 0 else "within noise of the control's"
    return row.with_entry("gain", remark=remark, ahead_of_control=ahead)


def with_choice(rows: Sequence[Row]) -> list[Row]:
    """Marks the highest validation figure of an ablation's settings: test figures choose nothing."""
    for name in CHOOSING:
        settings = [row for row in rows if row.variant.value is not None and row.entries[name].value is not None]
        if len(settings) > 1:
            chosen = max(settings, key=lambda row: row.entries[name].value or 0.0)
            return [row.with_entry(name, best=True) if row is chosen else row for row in rows]
    return list(rows)


def with_best(rows: Sequence[Row], shares: AllShares) -> list[Row]:
    """Marks what is better than every other contender beyond noise."""
    contenders = [row for row in rows if row.variant.role in ("contender", "floor", "reference")]
    marked = list(rows)
    for name, figure in FIGURES.items():
        best = None if figure.rises is None else _best(contenders, figure, shares)
        marked = [
            row.with_entry(name, best=True) if row.variant.key == best and row.entries[name].value is not None else row
            for row in marked
        ]
    return marked


def _best(rows: Collection[Row], figure: Figure, shares: AllShares) -> str | None:
    """Key of the row that is; where a group of cells decides, by that group's accuracy."""
    sign = 1 if figure.rises else -1
    values: dict[str, float] = {}
    for row in rows:
        group = {} if figure.group is None else shares[row.variant.key].get(figure.group, {})
        found = row.entries[figure.name].value if figure.group is None else None
        if (mean := mean_by_seed(group)) is not None:
            found = mean.value
        if found is not None:
            values[row.variant.key] = sign * found
    if len(values) < 2:
        return None
    first = max(values, key=values.__getitem__)
    entries = {row.variant.key: row.entries[figure.name] for row in rows}
    for other in values.keys() - {first}:
        if figure.group is None:
            ahead = _paired(entries[first], entries[other], figure)
        else:
            gap = difference_by_seed(shares[first][figure.group], shares[other][figure.group])
            ahead = gap is not None and gap.low > 0
        if not ahead:
            return None
    return first


def _paired(one: Entry, other: Entry, figure: Figure) -> bool:
    """Whether one is better over the seeds that both have; at one seed, whether the intervals do not meet."""
    sign = 1 if figure.rises else -1
    gaps = [sign * (one.by_seed[seed] - other.by_seed[seed]) for seed in one.by_seed.keys() & other.by_seed.keys()]
    if (found := over_seeds(gaps)) is not None:
        return found.low > 0
    return one.interval is not None and other.interval is not None and figure.ahead(one.interval, other.interval)
