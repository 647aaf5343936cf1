"""From a `.pth` that is dropped on the Models page to a transfer that runs, in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from bird_backend.models import build_model
from bird_backend.runs.store import RunStore
from tests.browsing import address, browser_tests, no_fault, opened, serious, until

pytestmark = browser_tests


def test_a_dropped_file_becomes_the_teacher_of_a_running_transfer(server: str, browser: Any, tmp_path: Path) -> None:
    network = build_model("cnn-small", classes=10, seed=0)
    state = {f"module.{name}": tensor for name, tensor in network.state_dict().items()}
    torch.save({"state_dict": state, "epoch": 3}, tmp_path / "My teacher.pth")
    with opened(browser) as page:
        page.goto(f"{server}/models?part=bring")
        page.locator("input[type=file]").set_input_files(tmp_path / "My teacher.pth")
        page.get_by_role("heading", name="It holds Small CNN").wait_for(timeout=90_000)
        no_fault(page)
        assert serious(page) == []
        page.get_by_role("button", name="Use it as teacher").click()
        address(page, "teacher=My-teacher")
        page.get_by_role("heading", name="Ready to launch").wait_for(timeout=60_000)
        page.get_by_role("button", name="Launch the transfer").click()
        address(page, "run=")
        [run] = RunStore().list(kind="transfer")
        assert (run.spec.teacher.model, run.spec.teacher.weights) == ("cnn-small", "My-teacher")
        until(lambda: RunStore().get(run.id).state == "running")
        page.get_by_role("button", name="Stop", exact=True).wait_for(timeout=30_000)
        no_fault(page)
