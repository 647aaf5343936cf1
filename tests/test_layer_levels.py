"""How finely layers are listed: coarse lists first, and a layer that a list doesn't have gets its stage's last."""

from __future__ import annotations

from app.form.layer_levels import ALL_LAYERS, BLOCKS, STAGES, level_of, levels, stand_in
from bird_backend import catalog
from tests.networks import facts_of


def test_a_network_of_few_layers_has_one_list() -> None:
    facts = catalog.find_model("resnet-narrow")
    assert levels(facts) == {ALL_LAYERS: facts.layers}


def test_stages_then_blocks_then_everything() -> None:
    lists = levels(facts_of("torchvision:resnet18"))
    assert list(lists) == [STAGES, BLOCKS, ALL_LAYERS]
    assert [layer.name for layer in lists[STAGES]] == ["stem", "stage1.2", "stage2.2"]
    assert [layer.name for layer in lists[BLOCKS]] == ["stem", *(f"stage{s}.{b}" for s in (1, 2) for b in range(3))]
    assert lists[ALL_LAYERS][-1].classifier


def test_the_catalogues_deep_networks_have_stages_too() -> None:
    lists = levels(catalog.find_model("resnet152"))
    assert list(lists) == [STAGES, ALL_LAYERS]
    assert "layer3.35" in [layer.name for layer in lists[STAGES]]


def test_a_layer_is_found_in_the_coarsest_list_that_has_it() -> None:
    facts = facts_of("torchvision:resnet18")
    lists = levels(facts)
    found = [level_of(name, lists) for name in ("stage1.2", "stage1.1", "stage1.1.conv", "nothing")]
    assert found == [STAGES, BLOCKS, ALL_LAYERS, None]
    assert stand_in("stage1.1.conv", facts, lists[STAGES]) == "stage1.2"
    assert stand_in("nothing", facts, lists[STAGES]) == "stage1.2"
