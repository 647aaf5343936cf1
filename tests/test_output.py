"""What commands print for people: columns under each other, one line of progress, nothing that steers a terminal."""

from __future__ import annotations

import io
import sys

import pytest

from bird_backend.cli.output import ProgressBar, table


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_columns_stand_under_each_other_whatever_is_in_them() -> None:
    drawn = table([("猫と犬", 1), ("[bold]x[/bold]", 22), ("a\x1b[31m\nb", 3), ("y" * 500, 4)], ("name", "n"))
    lines = drawn.splitlines()
    assert len(lines) == 5
    assert lines[0].split() == ["name", "n"]
    assert lines[1].index("1") == lines[0].rindex("n") - 3, "three characters of the first row are twice as wide"
    assert lines[2].startswith("[bold]x[/bold]") and lines[3].startswith("a\\x1b[31m\\nb")
    assert lines[4].endswith("4") and all(line == line.rstrip() for line in lines)


def test_progress_in_a_terminal_is_one_line_and_elsewhere_one_a_phase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    for stream, seen in ((Terminal(), ("100%", "Done")), (io.StringIO(), ("Training\nDone\\x1b[2J\n",))):
        monkeypatch.setattr(sys, "stderr", stream)
        bar = ProgressBar()
        for phase, fraction in (("Training", 0.0), ("Training", 0.5), ("Done\x1b[2J", 1.0)):
            bar(phase, fraction, 3.0)
        bar.close()
        told = stream.getvalue()
        assert all(part in told for part in seen), told
        assert "\x1b[2J" not in told
        assert ("about 3 s left" in told) == stream.isatty()
