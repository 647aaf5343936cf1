"""`assets`: commands that make what lies in assets/ anew."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from bird_backend import catalog, settings
from bird_backend.cli.options import Home, Json
from bird_backend.cli.output import ProgressBar, emit, table
from bird_backend.measures.figures import FIGURES, read_figure

__all__ = ["assets_app"]

assets_app = typer.Typer(help="Make what lies in assets/ anew.", invoke_without_command=True)


@assets_app.callback()
def assets(context: typer.Context, json_: Json = False, home: Home = None) -> None:
    """Make the catalogue and the demo's weights anew (`assets fashion-mnist` remakes the images)."""
    if context.invoked_subcommand is None:
        from bird_backend.cli.asset_makers import make_weights  # noqa: PLC0415
        from bird_backend.models import write_catalog  # noqa: PLC0415

        write_catalog(catalog.CATALOG_FILE)
        bar = ProgressBar()
        made = make_weights(bar)
        bar.close()
        shown = ("clean", "robust")
        rows = [(entry["name"], *(_say(entry, name) for name in shown)) for entry in made]
        emit(made, table(rows, ("weights", *(FIGURES[name].heading for name in shown))), as_json=json_)


def _say(summary: Mapping[str, Any], name: str) -> str:
    found = read_figure(summary, "model", name)
    return "–" if found is None else FIGURES[name].unit.text(found.value)


@assets_app.command("catalog")
def assets_catalog(json_: Json = False, home: Home = None) -> None:
    """Measure every network again and write bird_backend/catalog/catalog.json."""
    from bird_backend.models import write_catalog  # noqa: PLC0415

    write_catalog(catalog.CATALOG_FILE)
    emit({"written": "catalog.json"}, "Written: bird_backend/catalog/catalog.json", as_json=json_)


@assets_app.command("signatures")
def assets_signatures(json_: Json = False, home: Home = None) -> None:
    """Build every network and write bird_backend/catalog/signatures.json, by which weights are recognised."""
    from bird_backend.catalog.signatures import SIGNATURES_FILE, write_signatures  # noqa: PLC0415
    from bird_backend.models.foreign.signing import sign_all  # noqa: PLC0415

    found = sign_all()
    write_signatures(found)
    text = f"Written: bird_backend/catalog/{SIGNATURES_FILE.name}, {len(found)} signatures"
    emit({"written": SIGNATURES_FILE.name, "signatures": len(found)}, text, as_json=json_)


@assets_app.command("fashion-mnist")
def assets_fashion_mnist(
    source: Annotated[Path, typer.Option(help="The folder of Fashion-MNIST's four idx.gz files.")],
    json_: Json = False,
    home: Home = None,
) -> None:
    """Cut assets/fashion-mnist-small.npz out of the original files."""
    from bird_backend.datasets import build_fashion_mnist_small  # noqa: PLC0415

    target = settings.ASSETS / "fashion-mnist-small.npz"
    build_fashion_mnist_small(source, target)
    size = target.stat().st_size
    emit({"written": target.name, "bytes": size}, f"Written: assets/{target.name}, {size / 1e6:.1f} MB", as_json=json_)


@assets_app.command("frost")
def assets_frost(json_: Json = False, home: Home = None) -> None:
    """Draw the pictures of frost that `frost` lays over images, into assets/frost."""
    from bird_backend.cli.asset_makers import make_frost  # noqa: PLC0415

    made = make_frost()
    emit(made, table([(entry["name"], entry["bytes"]) for entry in made], ("picture", "bytes")), as_json=json_)


@assets_app.command("pairs")
def assets_pairs(json_: Json = False, home: Home = None) -> None:
    """Run the study of pairs in assets/studies, score its teachers, and write its table; `zoo` makes its networks."""
    from bird_backend.cli.shipped_pairs import make_pairs  # noqa: PLC0415

    bar = ProgressBar()
    made = make_pairs("pairs", bar)
    bar.close()
    emit(made, f"Written: assets/studies/{made['name']}, {made['rows']:,} rows", as_json=json_)
