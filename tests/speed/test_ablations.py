"""What the ablations leave out changes the time of a score, and not the score."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
CODE = """
import sys, torch
sys.path.insert(0, {tests!r})
import ablations
from spoofbench_aasist.model import aasist
torch.manual_seed(0)
expected = aasist().eval()
other = ablations.{name}()
other.load_state_dict(expected.state_dict())
audio = 0.1 * torch.randn(2, 4_000, generator=torch.Generator().manual_seed(1))
lengths = torch.full((2,), 4_000)
with torch.no_grad():
    difference = other.eval().score(audio, lengths) - expected.score(audio, lengths)
assert difference.abs().max() < 1e-5, difference
if "learning" in {name!r}:
    for model in (expected, other):
        model.train()
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        model.double()
        model.loss(audio.double(), lengths, torch.tensor([True, False])).sum().backward()
    for own, theirs in zip(other.parameters(), expected.parameters(), strict=True):
        if theirs.grad is not None:
            assert torch.allclose(own.grad, theirs.grad, rtol=1e-6, atol=1e-9)
"""


@pytest.mark.parametrize(
    "name",
    [
        *("whole_utterances", "whole_blocks", "layers_flushed"),
        *("activated_by_torch", "filtered_by_torch", "one_by_one"),
        *("layers_learning", "filters_whole_learning"),
    ],
)
def test_an_ablation_scores_and_learns_as_the_model(name: str):
    """In a process of its own: an ablation changes the modules that it imports."""
    code = CODE.format(tests=str(TESTS), name=name)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
