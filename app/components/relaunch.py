"""Back to the launch form with a run's own choices in it, to change one of them and go again."""

from __future__ import annotations

from app.address.routes import link
from app.address.url_state import address
from app.backend import data
from app.form.drafts import Draft, defaults

__all__ = ["demo_draft", "relaunch_link"]


def demo_draft() -> Draft:
    """What the form holds when nothing was chosen yet: the demo."""
    try:
        return Draft.of(data.demo_document())
    except data.BirdError:
        return Draft()


def relaunch_link(run: data.Run, label: str = "Change and launch again") -> None:
    """A link to the form as it was for a transfer; nothing for other kinds of run."""
    if run.kind != "transfer":
        return
    try:
        draft = Draft.of(run.directory.read_spec())
    except (OSError, ValueError, TypeError):
        return
    link("launch", label, icon=":material/edit:", **address(draft.choices(), defaults(demo_draft(), draft.method)))
