"""What makes a good teacher, learned from real pairs: a torch-free regression of transfer outcomes on scores.

`join` puts the runs of pairs beside their scores; `fit` and `fit_each` fit a `Predictor` for each student data set,
with R² on teachers and students it has not seen, its rivals, and what noise leaves to be explained; `Predictor.predict`
says what pairs not yet run will give.
"""

from bird_backend.prediction.ceiling import Ceiling, noise_ceiling
from bird_backend.prediction.columns import ATTRIBUTES, COLUMNS, COMPANIONS, OUTCOMES, PAIR, Column, label
from bird_backend.prediction.predictor import RIVALS, Coefficient, Predictor, fit, fit_each
from bird_backend.prediction.report import as_dict, coefficient_rows, heading, model_rows, remarks
from bird_backend.prediction.scoring import ModelScore
from bird_backend.prediction.table import between, join, layer_pairs, name_of, read_frame, unrun, wide

__all__ = [
    "ATTRIBUTES",
    "COLUMNS",
    "COMPANIONS",
    "OUTCOMES",
    "PAIR",
    "RIVALS",
    "Ceiling",
    "Coefficient",
    "Column",
    "ModelScore",
    "Predictor",
    "as_dict",
    "between",
    "coefficient_rows",
    "fit",
    "fit_each",
    "heading",
    "join",
    "label",
    "layer_pairs",
    "model_rows",
    "name_of",
    "noise_ceiling",
    "read_frame",
    "remarks",
    "unrun",
    "wide",
]
