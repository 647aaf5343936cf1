"""The figures of tables: each is declared in a file of this folder, where whatever shows or keeps figures finds it.

A run's summary, its page, the command line's report, a study's table in its four forms and runs beside one another all
read `FIGURES`.
"""

from bird_backend.measures.figures.declaration import (
    CKA,
    EVERY_TABLE,
    POINTS,
    SECONDS,
    SHARE,
    Estimate,
    Figure,
    GroupShares,
    InRun,
    OverSeeds,
    Table,
    Unit,
)
from bird_backend.measures.figures.gap_recovered import gap_recovered_in
from bird_backend.measures.figures.reading import FIGURES, columns, read_figure, work_out, write_figures

__all__ = [
    "CKA",
    "EVERY_TABLE",
    "FIGURES",
    "POINTS",
    "SECONDS",
    "SHARE",
    "Estimate",
    "Figure",
    "GroupShares",
    "InRun",
    "OverSeeds",
    "Table",
    "Unit",
    "columns",
    "gap_recovered_in",
    "read_figure",
    "work_out",
    "write_figures",
]
