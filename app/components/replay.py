"""A run as one HTML file that opens without a server and asks no network for anything: what it shows is drawn by the
app's own components. `python -m app.components.replay RUN OUT.html` writes it, which is what `bird replay` calls.
"""

from __future__ import annotations

import base64
import importlib.resources
import json
import logging
import math
import re
import sys
from collections.abc import Collection
from html import escape
from pathlib import Path
from typing import Any

from app import charts
from app.backend import data
from app.charts.frame import arm
from app.components.live_chart import BROWSER, Cursor, Part, chart, collected
from app.components.players import embedding_methods, embedding_player, gram_player
from app.components.results import verdict_sentence
from app.components.run_state import result_word
from app.components.scrubber import scrubber
from app.components.vendor import STATIC
from app.words.intervals import rounded

__all__ = ["main", "replay"]

_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
    "font-src data:; connect-src data:"
)
"""The browser itself keeps the file from asking anyone for anything."""


def replay(run: data.Run) -> str:
    """The file's text; an `InputError` where the run has drawn no geometry."""
    metrics = data.metrics(run)
    sections: list[tuple[str, str, list[Part]]] = []
    with collected() as slider:
        if not scrubber(run, metrics, key="at_step"):
            raise data.InputError(f"Run {run.id} has no snapshot of a student, so there is nothing to replay.")
    cursor = Cursor(clock=run.id, scale=1.0)
    with collected() as curves:
        chart(charts.cka_curves(metrics), of=run.id, key="cka", label="CKA with the teacher by step", cursor=cursor)
        robust = charts.accuracy_curves(metrics, "robust_accuracy")
        if robust.data:
            chart(robust, of=run.id, key="robust", label="Robust accuracy on validation images", cursor=cursor)
    sections.append(("Is the geometry moving?", "Debiased CKA of fixed validation images, by step.", curves))
    with collected() as grams:
        gram_player(run, metrics, key="grams")
    said = "Similarity of every pair of validation images, sorted by class, as each network sees them."
    sections.append(("Which images look alike?", said, grams))
    with collected() as clouds:
        embedding_player(run, embedding_methods(run)[0], key="cloud")
    sections.append(("Where do the images sit?", "Each point is a validation image.", clouds))
    body = [_parts(slider, "follows")]
    body += [
        f"<h2>{escape(title)}</h2><p class='quiet'>{escape(words)}</p>{_parts(parts)}"
        for title, words, parts in sections
    ]
    return _page(run, "".join(body), [*slider, *(part for *_, parts in sections for part in parts)])


def _page(run: data.Run, body: str, parts: list[Part]) -> str:
    codes = {part.name: part.js for part in parts}
    scripts = [importlib.resources.files("plotly").joinpath("package_data", "plotly.min.js").read_text("utf-8")]
    scripts += [
        "window.birdParts ??= {};(() => {"
        + code.replace("export default function", f"window.birdParts[{json.dumps(name)}] = function", 1)
        + "\n})();"
        for name, code in codes.items()
    ]
    scripts.append(_text("replay.js"))
    spec = data.spec_of(run).model_dump_json(indent=2)
    looks = _text("replay.css")
    face = f"@font-face {{ font-family: Inter; font-weight: 100 900; src: url({_letters()}) format('woff2'); }}"
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{escape(run.title)} · BIRD Explorer</title><style>{face}{looks}</style></head>"
        f"<body><main><h1>{escape(run.title)}</h1>"
        f"<p class='quiet'>{escape(result_word(run.state))} · {escape(run.id)}</p>"
        f"{_verdict(run)}{body}{_table(run)}<h2>What was asked for</h2><pre tabindex='0'>{escape(spec)}</pre></main>"
        + "".join(f"<script>{_inline(script)}</script>" for script in scripts)
        + "</body></html>"
    )


def _parts(parts: list[Part], kind: str = "") -> str:
    written = []
    for part in parts:
        key = f"{part.name}-{part.data.get('name', '')}"
        given = part.data | {"letters": _letters()} if "letters" in part.data else part.data
        isolated = " data-isolated='yes'" if part.isolated else ""
        written.append(
            f"<script type='application/json' id='data-{key}'>{_json(given)}</script>"
            f"<template data-part='{key}' data-code='{part.name}'{isolated}>"
            f"<style>{part.css}</style>{part.html}</template>"
        )
    return f"<div class='{kind}'>{''.join(written)}</div>"


def _verdict(run: data.Run) -> str:
    """Whether it helped, of a run that was measured against something."""
    predictions = data.predictions(run)
    said = "" if predictions is None else verdict_sentence(predictions) or ""
    return f"<p>{re.sub(r'[*]{2}(.+?)[*]{2}', _bold, escape(said))}</p>"


def _bold(found: re.Match[str]) -> str:
    return f"<b>{found[1]}</b>"


def _table(run: data.Run) -> str:
    """Each condition and the means, a column a model, of a run that was measured."""
    predictions = data.predictions(run)
    if predictions is None:
        return ""
    table = charts.by_condition(predictions)
    shares = {arm(model).label for model in charts.models_in(predictions)}
    heads = "".join(f"<th>{escape(f'{name}, %' if name in shares else name)}</th>" for name in table.columns)
    rows = "".join(
        f"<tr>{''.join(f'<td>{_cell(row[name], name, shares)}</td>' for name in table.columns)}</tr>"
        for row in table.to_dict("records")
    )
    return (
        f"<h2>Did it help?</h2><p class='quiet'>{predictions.n:,} test images; ± is half a 95 % interval over images, "
        "in points.</p><div class='table' role='region' tabindex='0' aria-label='Accuracies'>"
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _cell(value: Any, name: str, shares: Collection[str]) -> str:
    if not isinstance(value, float):
        return escape(str(value))
    if math.isnan(value):
        return "–"
    return rounded(100 * value, 1) if name in shares else rounded(value, 1, sign="+" if "(points)" in name else "")


def _letters() -> str:
    font = (STATIC / "fonts" / "inter-latin-wght-normal.woff2").read_bytes()
    return f"data:font/woff2;base64,{base64.b64encode(font).decode('ascii')}"


def _json(value: Any) -> str:
    """Nothing in it ends the element that it stands in."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


def _inline(script: str) -> str:
    return script.replace("</script", "<\\/script")


def _text(name: str) -> str:
    return (BROWSER / name).read_text("utf-8")


def main(arguments: list[str]) -> int:
    """Write a run's file; 2 and a sentence where that can't be."""
    run_id, out = arguments
    logging.disable(logging.WARNING)  # Streamlit misses its server, of which nothing is needed here
    try:
        run = data.get_run(run_id)
        if run is None:
            raise data.InputError(f"There is no run {run_id}.")
        Path(out).write_text(replay(run), "utf-8")
    except (data.BirdError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
