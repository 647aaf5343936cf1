"""Captures are copies, stay differentiable, stop where told and leave no hook; pooling goes by rank and says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bird_backend.activations import capture_activations, pool
from bird_backend.errors import InputError, UnknownNameError
from bird_backend.models import build_model


class Overwriting(nn.Module):
    """Does to its layers' outputs what real networks do: ReLU in place, += and a shared module run twice."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.relu = nn.ReLU(inplace=True)
        self.second = nn.Linear(4, 4)
        self.alias = self.second
        self.never = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.first(x))
        x = self.second(x)
        x += 100
        return self.relu(self.second(x))


class Attending(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.named = Named()

    def forward(self, x: Tensor) -> Tensor:
        return self.named(self.attention(x, x, x)[0])["hidden"]


class Named(nn.Module):
    def forward(self, x: Tensor) -> dict[str, object]:
        return {"note": "not a tensor", "hidden": x + 1}


class Silent(nn.Module):
    def forward(self, x: Tensor) -> None:
        return None


@pytest.fixture
def model() -> Overwriting:
    torch.manual_seed(0)
    return Overwriting()


@pytest.fixture
def x() -> Tensor:
    return torch.randn(5, 4, generator=torch.Generator().manual_seed(0))


def hooks(model: nn.Module) -> int:
    return sum(len(module._forward_hooks) for module in model.modules())


def test_in_place_operations_after_a_layer_do_not_reach_the_capture(model: Overwriting, x: Tensor) -> None:
    with capture_activations(model, ["first", "second"], stop_early=False) as captured:
        model(x)
    weight, bias = model.first.weight.detach().numpy(), model.first.bias.detach().numpy()
    first = x.numpy() @ weight.T + bias
    assert (first < 0).any()
    np.testing.assert_allclose(captured["first"].detach(), first, rtol=1e-5, atol=1e-6)


def test_a_module_that_runs_twice_keeps_the_last_output(model: Overwriting, x: Tensor) -> None:
    with capture_activations(model, ["second"], stop_early=False) as captured:
        model(x)
    with torch.no_grad():
        inner = model.second(model.first(x).clamp(min=0)) + 100
        torch.testing.assert_close(captured["second"], model.second(inner))


def test_stopping_ends_the_block_with_the_last_missing_layer(model: Overwriting, x: Tensor) -> None:
    runs: list[str] = []
    model.second.register_forward_pre_hook(lambda *_: runs.append("second"))
    reached = False
    with capture_activations(model, ["relu", "first"]) as captured:
        model(x)
        reached = True
    assert set(captured) == {"first", "relu"}
    assert not reached and not runs


def test_gradients_flow_through_a_capture(model: Overwriting, x: Tensor) -> None:
    with capture_activations(model, ["first"], stop_early=False) as captured:
        output = model(x)
    (captured["first"].sum() + 0 * output.sum()).backward()
    # d/dW of sum(Wx + b) is the sum of the inputs, the same for every output.
    torch.testing.assert_close(model.first.weight.grad, x.sum(0).expand(4, 4))


def test_a_frozen_teacher_builds_no_graph(model: Overwriting, x: Tensor) -> None:
    with torch.no_grad(), capture_activations(model, ["first"]) as captured:
        model(x)
    assert captured["first"].grad_fn is None and not captured["first"].requires_grad


def test_hooks_go_with_the_block_whatever_happens(model: Overwriting, x: Tensor) -> None:
    with pytest.raises(ZeroDivisionError), capture_activations(model, ["first"], stop_early=False):
        model(x)
        raise ZeroDivisionError
    with pytest.raises(RuntimeError), capture_activations(model, ["first"]):
        model(x[:, :3])
    with pytest.raises(InputError), capture_activations(model, ["first", "nowhere"]):
        pass
    with capture_activations(model, ["first"]):
        assert hooks(model) == 1
        model(x)
    assert hooks(model) == 0


def test_captures_nest_and_each_stop_belongs_to_its_own_block(model: Overwriting, x: Tensor) -> None:
    with capture_activations(model, ["first"]) as outer:
        with capture_activations(model, ["second"]) as inner:
            model(x)
        pytest.fail("the outer block goes on after its layer ran")
    assert set(outer) == {"first"} and not inner
    with capture_activations(model, ["first"], stop_early=False) as outer:
        with capture_activations(model, ["relu"]) as inner:
            model(x)
        after = True
    assert after and set(outer) == {"first"} and set(inner) == {"relu"}
    assert hooks(model) == 0


def test_tuples_give_their_first_tensor_and_mappings_too() -> None:
    model = Attending().eval()
    with capture_activations(model, ["attention", "named"]) as captured:
        model(torch.randn(2, 3, 8))
    torch.testing.assert_close(captured["named"], captured["attention"] + 1)


def test_an_unknown_layer_names_the_closest_or_the_top_level(model: Overwriting) -> None:
    with pytest.raises(UnknownNameError, match="Unknown layer of Overwriting 'secnd': did you mean second"):
        capture_activations(model, ["secnd"]).__enter__()
    with pytest.raises(UnknownNameError, match="valid: first, relu, second, never"):
        capture_activations(model, ["zzz"]).__enter__()
    with pytest.raises(UnknownNameError, match=r"'layer2\.9': did you mean layer2\.1 or layer2\.0"):
        capture_activations(build_model("resnet18", classes=2, seed=0), ["layer2.9"]).__enter__()


def test_a_shared_module_is_known_by_both_names(model: Overwriting, x: Tensor) -> None:
    with capture_activations(model, ["alias", "second"], stop_early=False) as captured:
        model(x)
    assert torch.equal(captured["alias"], captured["second"])


def test_what_can_not_be_captured_says_so(model: Overwriting, x: Tensor) -> None:
    with pytest.raises(InputError, match="'never' of Overwriting did not run"), capture_activations(model, ["never"]):
        model(x)
    with pytest.raises(InputError, match="No layer"), capture_activations(model, []):
        model(x)
    silent = nn.Sequential(Silent())
    with pytest.raises(InputError, match=r"'0' \(Silent\) returns no tensor"), capture_activations(silent, ["0"]):
        silent(x)


def test_pooling_goes_by_rank() -> None:
    maps, tokens, vectors = torch.randn(2, 3, 4, 5), torch.randn(2, 6, 3), torch.randn(2, 7)
    np.testing.assert_allclose(pool(maps), maps.numpy().reshape(2, 3, 20).mean(-1), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(pool(tokens), tokens.numpy().sum(1) / 6, rtol=1e-4, atol=1e-6)
    assert torch.equal(pool(vectors), vectors)
    assert pool(maps, "flatten").shape == (2, 60)
    assert pool(tokens, "flatten").shape == (2, 18)
    assert pool(vectors, "flatten").shape == (2, 7)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 4, 5, 6)])
def test_other_ranks_are_refused(shape: tuple[int, ...]) -> None:
    for how in ("mean", "flatten"):
        with pytest.raises(InputError, match="can't be pooled"):
            pool(torch.zeros(shape), how)


def test_an_unknown_pooling_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="did you mean mean"):
        pool(torch.zeros(2, 3), "meen")


# Low precision and masks


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("shape", [(3, 5, 16, 16), (3, 64, 5), (3, 5)])
@pytest.mark.parametrize("how", ["mean", "flatten"])
def test_pooling_computes_in_float32(dtype: torch.dtype, shape: tuple[int, ...], how: Any) -> None:
    activation = (1000 + torch.randn(shape, generator=torch.Generator().manual_seed(0))).to(dtype)
    pooled = pool(activation, how)
    assert pooled.dtype == torch.float32
    assert torch.equal(pooled, pool(activation.float(), how))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(pool(activation, how), pooled)
    assert pool(activation.double(), how).dtype == torch.float64


def test_tokens_that_are_masked_count_for_nothing() -> None:
    generator = torch.Generator().manual_seed(1)
    tokens = torch.randn(5, 7, 3, generator=generator)
    mask = torch.rand(5, 7, generator=generator) < 0.6
    mask[0], mask[1] = True, False
    expected = np.zeros((5, 3))
    for image in range(5):
        counted = [tokens[image, place].numpy() for place in range(7) if mask[image, place]]
        if counted:
            expected[image] = np.sum(counted, axis=0) / len(counted)
    np.testing.assert_allclose(pool(tokens, "mean", mask), expected, rtol=1e-5, atol=1e-6)
    spoiled = torch.where(mask[:, :, None], tokens, torch.full_like(tokens, torch.nan))
    np.testing.assert_allclose(pool(spoiled, "mean", mask), expected, rtol=1e-5, atol=1e-6)
    flat = pool(spoiled, "flatten", mask).reshape(5, 7, 3)
    assert torch.equal(flat, torch.where(mask[:, :, None], tokens, torch.zeros(())))
    vectors = torch.randn(5, 4, generator=generator)
    assert torch.equal(pool(vectors, "mean", mask), vectors), "one vector each has no places left to leave out"
    spoiled.requires_grad_()
    pool(spoiled, "mean", mask).sum().backward()
    assert spoiled.grad is not None and spoiled.grad.isfinite().all()


@pytest.mark.parametrize(("shape", "mask"), [((2, 6, 3), (2, 5)), ((2, 6, 3), (2, 6, 3)), ((2, 3, 4, 4), (2, 16))])
def test_a_mask_of_other_places_is_refused(shape: tuple[int, ...], mask: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"A mask of shape .* can't be laid over"):
        pool(torch.zeros(shape), "mean", torch.ones(mask, dtype=torch.bool))
