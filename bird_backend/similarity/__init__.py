"""How alike two representations of the same batch are: Gram matrices, HSIC and CKA (Kornblith 2019)."""

from bird_backend.similarity.attribution import Shares, cka_shares
from bird_backend.similarity.cka import Estimator, Kernel, MinibatchCKA, cka, cka_loss, cka_null
from bird_backend.similarity.gram import centred_gram, linear_gram, rbf_gram
from bird_backend.similarity.hsic import hsic_of_features, hsic_of_grams

__all__ = [
    "Estimator",
    "Kernel",
    "MinibatchCKA",
    "Shares",
    "centred_gram",
    "cka",
    "cka_loss",
    "cka_null",
    "cka_shares",
    "hsic_of_features",
    "hsic_of_grams",
    "linear_gram",
    "rbf_gram",
]
