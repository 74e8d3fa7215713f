import numpy as np
import pytest
import torch
from torch import nn

from spoofbench import devices
from spoofbench.errors import InvalidSettings

DENORMAL = float(np.finfo(np.float32).tiny) / 4


def is_flushed() -> bool:
    return (torch.tensor([2 * DENORMAL]) * 0.5).item() == 0.0


@pytest.mark.parametrize("name", ["cpu", "auto"])
def test_cpu_and_auto_always_work(name):
    assert torch.zeros(1, device=devices.device_named(name)).item() == 0


@pytest.mark.parametrize("name", ["cpuu", "", "cuda:99", "xla", "meta"])
def test_a_device_that_is_not_there_is_refused_by_name(name):
    with pytest.raises(InvalidSettings, match=f"--device {name}") as error:
        devices.device_named(name)
    assert "cpu" in error.value.hint


def test_an_unknown_precision_is_refused_with_those_that_are_known():
    with pytest.raises(InvalidSettings, match="fp8") as error:
        devices.precision_context("fp8", torch.device("cpu"))
    assert "bf16" in error.value.hint


def test_bf16_computes_products_in_bfloat16():
    layer = nn.Linear(2, 2)
    with devices.precision_context("bf16", torch.device("cpu")):
        assert layer(torch.ones(1, 2)).dtype == torch.bfloat16
    with devices.precision_context("fp32", torch.device("cpu")):
        assert layer(torch.ones(1, 2)).dtype == torch.float32


def test_each_module_gets_its_own_mode_back_after_evaluation():
    model = nn.Sequential(nn.Dropout(), nn.BatchNorm1d(2), nn.Linear(2, 1))
    model.train()
    model[1].eval()  # frozen on purpose
    with devices.evaluating(model):
        assert not any(module.training for module in model.modules())
        assert not torch.is_grad_enabled()
    assert [module.training for module in model] == [True, False, True]
    assert model.training
    assert torch.is_grad_enabled()


def test_modes_are_given_back_after_an_error():
    model = nn.Dropout()
    with pytest.raises(ZeroDivisionError), devices.evaluating(model):
        1 / 0  # noqa: B018
    assert model.training
    assert torch.is_grad_enabled()


def test_what_is_no_module_can_be_evaluated():
    with devices.evaluating(object()):
        assert not torch.is_grad_enabled()


def test_denormals_are_zero_inside_and_as_before_outside():
    assert not is_flushed()
    with devices.denormals_flushed():
        assert is_flushed()
        with devices.denormals_flushed():
            assert is_flushed()
        assert is_flushed()
    assert not is_flushed()


def test_the_denormal_setting_is_given_back_after_an_error():
    with pytest.raises(ZeroDivisionError), devices.denormals_flushed():
        1 / 0  # noqa: B018
    assert not is_flushed()
