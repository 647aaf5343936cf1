"""Studies: one transfer in several variants with the same seeds and budget, queued at once and read as one table.

`plan_methods`, `plan_ablation` and `plan_pairs` check a study whole; `submit_study` queues it; `list_studies` and
`read_study` find it again; `progress_of` says how far it is; `results` makes its table of what is done, `pairs_of` that
of a study of pairs. No torch here.
"""

from bird_backend.studies.ablations import ABLATIONS, Ablation, plan_ablation
from bird_backend.studies.entries import Entry, Remark, Row
from bird_backend.studies.outcomes import Outcome, Recipe, recipes_between
from bird_backend.studies.pairs import MOST_RUNS, network_of, plan_pairs
from bird_backend.studies.pairs_table import Pairs, pairs_of
from bird_backend.studies.plan import MAX_SEEDS, USUAL_CONTROLS, entrants, plan_methods
from bird_backend.studies.progress import (
    Progress,
    add_seeds,
    end_of_budget,
    extend_study,
    progress_of,
    resume_study,
    stop_study,
    with_more_seeds,
)
from bird_backend.studies.rankings import rankings_of
from bird_backend.studies.rendering import say
from bird_backend.studies.store import (
    begin_study,
    find_study_of,
    list_studies,
    note_run,
    read_study,
    runs_of,
    states_of,
    submit_study,
)
from bird_backend.studies.study import Member, Plan, Role, Study, Variant
from bird_backend.studies.table import Results, results

__all__ = [
    "ABLATIONS",
    "MAX_SEEDS",
    "MOST_RUNS",
    "USUAL_CONTROLS",
    "Ablation",
    "Entry",
    "Member",
    "Outcome",
    "Pairs",
    "Plan",
    "Progress",
    "Recipe",
    "Remark",
    "Results",
    "Role",
    "Row",
    "Study",
    "Variant",
    "add_seeds",
    "begin_study",
    "end_of_budget",
    "entrants",
    "extend_study",
    "find_study_of",
    "list_studies",
    "network_of",
    "note_run",
    "pairs_of",
    "plan_ablation",
    "plan_methods",
    "plan_pairs",
    "progress_of",
    "rankings_of",
    "read_study",
    "recipes_between",
    "results",
    "resume_study",
    "runs_of",
    "say",
    "states_of",
    "stop_study",
    "submit_study",
    "with_more_seeds",
]
