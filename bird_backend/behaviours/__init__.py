"""Behaviours: what a network keeps doing right while its images change, each declared in a folder of its name.

A behaviour is the conditions that a network is tried under, at strengths 1 to 5, and how a batch is brought under one.
Some conditions are *seen*: an aligned teacher and the ceiling train on them; the others are *held out* of all training.
"""

from bird_backend.behaviours.declaration import (
    BEHAVIOURS,
    STRENGTHS,
    USUAL,
    Behaviour,
    BehaviourField,
    BehaviourSettings,
    Condition,
    Words,
)

__all__ = ["BEHAVIOURS", "STRENGTHS", "USUAL", "Behaviour", "BehaviourField", "BehaviourSettings", "Condition", "Words"]
