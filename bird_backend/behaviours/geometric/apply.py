"""Affine maps of whole batches, one an image, sampled bilinearly; black comes in from outside."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from bird_backend.behaviours.drawing import draw
from bird_backend.behaviours.geometric import AMOUNTS
from bird_backend.behaviours.trial import Given

__all__ = ["affine_maps", "move", "move_each", "sample"]


def move(images: Tensor, condition: str, strength: int, generator: torch.Generator) -> Tensor:
    """uint8 [B,3,H,W] under one condition at a strength from 0 to 5, a sign or direction drawn for each image."""
    strengths = torch.full((len(images),), strength)
    return sample(images, affine_maps(images, condition, strengths, generator))


def move_each(images: Tensor, conditions: Sequence[str], given: Given) -> Tensor:
    """uint8 [B,3,H,W], each image under one of `conditions` at a strength from 0 to 5, both drawn for it alone."""
    which, strengths = draw(len(images), len(conditions), given)
    maps = torch.stack([affine_maps(images, condition, strengths, given.generator) for condition in conditions])
    return sample(images, maps[which.to(images.device), torch.arange(len(images), device=images.device)])


def affine_maps(images: Tensor, condition: str, strengths: Tensor, generator: torch.Generator) -> Tensor:
    """Where each pixel comes from, in pixels around the middle [B,2,3], x before y, for strengths [B] from 0 to 5."""
    batch, device, side = len(images), images.device, min(images.shape[2:])
    idle = 1.0 if condition == "scale" else 0.0
    amounts = torch.tensor([idle, *AMOUNTS[condition]])[strengths].to(device)
    chance = torch.rand((batch, 2), generator=generator, device=device)
    sign = torch.where(chance[:, 0] < 0.5, -1.0, 1.0)
    maps = torch.eye(2, 3, device=device).repeat(batch, 1, 1)
    if condition == "rotation":
        angle = (sign * amounts).deg2rad()
        maps[:, 0, 0] = maps[:, 1, 1] = angle.cos()
        maps[:, 0, 1], maps[:, 1, 0] = -angle.sin(), angle.sin()
    elif condition == "shift":
        direction = 2 * math.pi * chance[:, 0]
        maps[:, 0, 2] = amounts * side * direction.cos()
        maps[:, 1, 2] = amounts * side * direction.sin()
    elif condition == "scale":
        maps[:, 0, 0] = maps[:, 1, 1] = amounts**sign
    else:
        along_rows = chance[:, 1] < 0.5
        slant = sign * amounts
        maps[:, 0, 1] = torch.where(along_rows, slant, 0.0)
        maps[:, 1, 0] = torch.where(along_rows, 0.0, slant)
    return maps


def sample(images: Tensor, maps: Tensor) -> Tensor:
    """uint8 [B,3,H,W] with each pixel taken from where its image's map [B,2,3] says, rounded to whole levels."""
    height, width = images.shape[2:]
    scaled = maps.clone()  # from pixels to the grid's halves of a side
    scaled[:, 0, 1] *= height / width
    scaled[:, 1, 0] *= width / height
    scaled[:, 0, 2] *= 2 / width
    scaled[:, 1, 2] *= 2 / height
    grid = affine_grid(scaled, list(images.shape), align_corners=False)
    floats = images.to(torch.float32)
    moved = grid_sample(floats, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    return moved.round_().clamp_(0, 255).to(torch.uint8)
