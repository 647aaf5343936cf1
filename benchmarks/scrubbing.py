"""How fluid the scrubber is: frames of the screen while points, three Gram matrices and the slider play.

    python -m benchmarks.scrubbing --points 2000,10000 --snapshots 100

The browser is headless and draws without a graphics processor. It is asked for a frame of the screen again and again,
and the time between two that it grants is taken; beside it stands the part of it that drawing took.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from typing import Any

import numpy as np

from app.charts.geometry import pack_gram, pack_points
from app.components.live_chart import BROWSER, palettes
from app.components.players import CLOUD_SCRIPTS, GRAM_SCRIPTS
from app.components.scrubber import SCRIPTS
from benchmarks.browser import chromium
from benchmarks.machine import describe

__all__ = ["main"]

_GRAM = 128
_BOX = (0.0, 0.0, 1.0, 1.0)
_PARTS = {"scrubber": SCRIPTS, "grams": GRAM_SCRIPTS, "cloud": CLOUD_SCRIPTS}
_STYLES = ("player.css", "scrubber.css", "tools.css")
_MOUNT = """async ([name, code, data]) => {
    const url = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
    const { default: call } = await import(url);
    call({ data, parentElement: document.getElementById(name), setStateValue() {} });
}"""
_PLAY = """() => new Promise((resolve) => {
    const clock = window.birdClocks.get('run');
    const [gaps, busy] = [[], []];
    let before = performance.now();
    const begun = before;
    const move = clock.constructor.prototype.move;
    let started = 0;
    // Everything that is drawn in a frame is drawn between these two.
    clock.move = function (now) { started = performance.now(); move.call(this, now); };
    clock.watch(() => busy.push(performance.now() - started));
    const frame = (now) => {
        gaps.push(now - before);
        before = now;
        if (clock.playing) requestAnimationFrame(frame);
        else resolve({ gaps: gaps.slice(2), busy: busy.slice(2), seconds: (performance.now() - begun) / 1000 });
    };
    clock.seek(0);
    clock.play();
    requestAnimationFrame(frame);
})"""


def main() -> None:
    """Play each size once and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", default="2000,10000")
    parser.add_argument("--snapshots", type=int, default=100)
    parser.add_argument("--width", type=int, default=1280)
    asked = parser.parse_args()
    os.environ.setdefault("BIRD_HOME", tempfile.mkdtemp(prefix="bird-bench-"))
    print(describe())
    print("| points | snapshots | frames | median ms | 95 % ms | over 20 ms | drawing, median ms | 95 % ms |")
    print("|---|---|---|---|---|---|---|---|")
    with chromium() as browser:
        for count in map(int, asked.points.split(",")):
            page = browser.new_page(viewport={"width": asked.width, "height": 900})
            page.set_content(_page())
            for name, data in _payloads(count, asked.snapshots).items():
                code = "\n".join((BROWSER / script).read_text("utf-8") for script in _PARTS[name])
                page.evaluate(_MOUNT, [name, code, data])
            page.wait_for_timeout(500)
            # The first time through, every snapshot is unpacked.
            for turn in ("first", "again"):
                found = page.evaluate(_PLAY)
                gaps, busy = np.array(found["gaps"]), np.array(found["busy"])
                row = [f"{count:,} ({turn})", asked.snapshots, len(gaps), *_middle(gaps)]
                print(
                    "| " + " | ".join(map(str, [*row, f"{(gaps > 20).mean():.1%}", *_middle(busy)])) + " |", flush=True
                )
            page.close()


def _middle(values: np.ndarray) -> list[str]:
    return [f"{np.quantile(values, share):.1f}" for share in (0.5, 0.95)]


def _page() -> str:
    styles = "\n".join((BROWSER / style).read_text("utf-8") for style in _STYLES)
    parts = "".join(f'<div id="{name}"><section class="player"></section></div>' for name in _PARTS)
    return f"<style>{styles}</style>{parts}"


def _payloads(count: int, snapshots: int) -> dict[str, Any]:
    """Clouds that walk, and matrices that change; the numbers mean nothing."""
    generator = np.random.default_rng(0)
    start, end = generator.uniform(0.05, 0.95, size=(2, count, 2))
    gram = [generator.uniform(size=(_GRAM, _GRAM)) for _ in range(2)]
    gram = [(one + one.T) / 2 for one in gram]
    shares = np.linspace(0, 1, snapshots)
    steps = (10 * np.arange(snapshots)).tolist()
    classes = [f"class {place}" for place in range(10)]
    common = {"run": "run", "clock": "run", "revision": "", "classes": classes, "layers": ["a", "b"], **palettes()}
    labels = np.arange(count) % 10

    def shots(name: str, drawn: Any) -> list[dict[str, Any]]:
        return [
            {
                "name": "bird",
                "label": "BIRD",
                "snapshots": [
                    {"step": step, "cka": 0.5, name: drawn(share)} for step, share in zip(steps, shares, strict=True)
                ],
            }
        ]

    tracks = [{"name": "bird", "label": "BIRD", "steps": steps, "words": [f"step {step}" for step in steps]}]
    payloads = {
        "scrubber": {"clock": "run", "tracks": tracks, "active": False, "arm": None, "step": None},
        "grams": common
        | {
            "size": _GRAM,
            "labels": np.sort(np.arange(_GRAM) % 10).tolist(),
            "low": 0.0,
            "high": 1.0,
            "teacher": pack_gram(gram[0], 0, 1),
            "arms": shots("gram", lambda share: pack_gram((1 - share) * gram[1] + share * gram[0], 0, 1)),
        },
        "cloud": common
        | {
            "how": "pca",
            "title": "PCA",
            "aspect": 0.62,
            "panels": ["teacher", "student"],
            "labels": labels.tolist(),
            "teacher": pack_points(end, _BOX),
            "arms": shots("points", lambda share: pack_points((1 - share) * start + share * end, _BOX)),
            "atlas": None,
            "hidden": [],
            "picked": [],
            "pinned": None,
            "share_range": None,
            "colour": None,
            "selection": "",
        },
    }
    return json.loads(json.dumps(payloads))  # as it comes to the browser


if __name__ == "__main__":
    main()
