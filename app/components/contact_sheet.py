"""A contact sheet: a few images of each class, each class found by its name; nothing waits for the server."""

from __future__ import annotations

from collections.abc import Sequence

from app.backend import data
from app.backend.own_images import ContactSheet
from app.charts.contact_sheet import sheet_of_classes
from app.components.live_chart import mount, palettes

__all__ = ["contact_sheet"]


def contact_sheet(run: data.Run, sheet: ContactSheet, counts: Sequence[int]) -> None:
    """Draw it; `counts` are all training images of each class."""
    mount(
        "bird_contact_sheet",
        html='<section class="player" aria-label="A few images of each class"></section>',
        scripts=("theme.js", "sketch.js", "saving.js", "pictures.js", "contact_sheet.js"),
        styles=("player.css", "contact_sheet.css", "tools.css"),
        key=f"contact_sheet_{run.id}",
        data={"run": run.id, **sheet_of_classes(sheet, tuple(counts)), **palettes()},
    )
