"""What one layer of a network says of the student's images: everything its attributes are made of, computed once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from bird_backend.attributes.probe import LinearProbe
from bird_backend.attributes.scale import Scale
from bird_backend.attributes.usefulness import Responses

__all__ = ["LayerProfile"]


@dataclass(frozen=True, kw_only=True, eq=False)
class LayerProfile:
    """Of d features: a probe fitted to training images, and what n held-out ones give."""

    probe: LinearProbe
    predicted: Tensor
    """int64 [n]: the class that the probe says of each held-out image."""
    responses: Responses
    stability: float
    """Debiased CKA of clean features with those under a condition, the mean over cells."""
    stability_influence: Tensor
    """[m]: what each of the first m images adds to it (`geometry.influence_on_cka`)."""
    parameters: int
    """Of the whole network."""

    @property
    def importance(self) -> Tensor:
        """[d]: how much the probe goes by each standardised feature, in all classes together."""
        shifted = self.probe.weight - self.probe.weight.mean(0)  # what all classes share changes no answer
        return torch.where(self.probe.scale.constant, torch.zeros_like(shifted[0]), shifted.abs().sum(0))

    def tensors(self) -> dict[str, Tensor]:
        """For a file, on the CPU."""
        scale, responses = self.probe.scale, self.responses
        found = {
            "mean": scale.mean,
            "deviation": scale.deviation,
            "constant": scale.constant,
            "lean": scale.lean,
            "known": scale.known,
            "weight": self.probe.weight,
            "bias": self.probe.bias,
            "predicted": self.predicted,
            "clean": responses.clean,
            "least": responses.least,
            "largest": responses.largest,
            "mean_changed": responses.mean,
            "stability_influence": self.stability_influence,
            "numbers": torch.tensor(
                [self.probe.C, float(self.probe.converged), self.stability, float(self.parameters)],
                dtype=torch.float64,
            ),
        }
        return {name: tensor.detach().cpu().contiguous() for name, tensor in found.items()}

    @classmethod
    def from_tensors(cls, tensors: dict[str, Tensor], device: torch.device) -> LayerProfile:
        """The inverse of `tensors`; one that lacks something is a `KeyError`."""
        C, converged, stability, parameters = tensors["numbers"].tolist()
        t = {name: tensor.to(device) for name, tensor in tensors.items() if name != "numbers"}
        scale = Scale(
            mean=t["mean"], deviation=t["deviation"], constant=t["constant"], lean=t["lean"], known=t["known"]
        )
        return cls(
            probe=LinearProbe(scale=scale, weight=t["weight"], bias=t["bias"], C=C, converged=bool(converged)),
            predicted=t["predicted"],
            responses=Responses(clean=t["clean"], least=t["least"], largest=t["largest"], mean=t["mean_changed"]),
            stability=stability,
            stability_influence=t["stability_influence"],
            parameters=int(parameters),
        )
