"""Detectors without a plugin: the same computation in four forms gets the same scores."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from inprocess import Spoofbench
from torch import Tensor, nn

from spoofbench.adapters import is_adapter, offer_named
from spoofbench.adapters.calls import Call, Options
from spoofbench.errors import BrokenPlugin, InvalidSettings, InvalidWeights, UnknownName

AUDIO = torch.linspace(-0.5, 0.7, 3 * 4_000).reshape(3, 4_000)
LENGTHS = torch.tensor([4_000, 4_000, 4_000])
EXPECTED = AUDIO.abs().mean(dim=1)

FUNCTIONS = """
import torch
def loud(audio):
    return audio.abs().mean(dim=1)
def loud_with_lengths(audio, lengths):
    return [float(a[:n].abs().mean()) for a, n in zip(audio, lengths.tolist())]
def two(audio):
    loud = audio.abs().mean(dim=1)
    return torch.stack([-loud, loud], dim=1)
def numpy_two(audio):
    return two(audio).numpy()
def one_number(audio):
    return 1.0
class Detector:
    def score(self, audio, lengths):
        return loud(audio)
not_callable = 3
"""

PROGRAM = """
import sys, soundfile
for line in sys.stdin:
    audio, rate = soundfile.read(line.strip(), dtype="float32")
    print(abs(audio).mean(), flush=True)
"""


@pytest.fixture
def functions(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(FUNCTIONS)
    return tmp_path / "mine.py"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    (tmp_path / "program.py").write_text(PROGRAM)
    return tmp_path / "program.py"


def scores(name: str) -> Tensor:
    return offer_named(name).spec.resolve()().score(AUDIO, LENGTHS)


@pytest.mark.parametrize("attribute", ["loud", "loud_with_lengths", "Detector"])
def test_a_function_or_class_in_a_file(functions: Path, attribute: str):
    assert torch.allclose(scores(f"python:{functions}:{attribute}"), EXPECTED)


@pytest.mark.parametrize("attribute", ["two", "numpy_two"])
def test_a_column_is_chosen_and_the_sign_turned(functions: Path, attribute: str):
    name = f"python:{functions}:{attribute}"
    assert torch.allclose(scores(f"{name},logit=1"), EXPECTED)
    assert torch.allclose(scores(f"{name},logit=0,sign=-"), EXPECTED)
    with pytest.raises(BrokenPlugin, match="gives 2 numbers") as refused:
        scores(name)
    assert "logit=1" in refused.value.hint
    with pytest.raises(BrokenPlugin, match="there are 2 columns"):
        scores(f"{name},logit=2")


def test_an_installed_module_is_found_and_the_current_folder_is_not(
    functions: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(functions.parent)
    with pytest.raises(BrokenPlugin, match="No module named 'mine'"):
        scores("python:mine:loud")
    assert scores("python:torch:zeros_like,logit=0").tolist() == [0, 0, 0]


def test_a_program_gets_paths_and_gives_scores(program: Path):
    given = scores(f"command:{sys.executable} {program}")
    assert torch.allclose(given, EXPECTED, atol=1e-6)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import sys; sys.stderr.write('no model here'); sys.exit(3)", "it ended\n  no model here"),
        ("import sys\nfor l in sys.stdin: print('high', flush=True)", "'high', which is no number"),
        ("import sys\nfor l in sys.stdin: print('nan', flush=True)", "it wrote nan"),
    ],
)
def test_a_program_that_fails_is_told_with_what_it_said(tmp_path: Path, code: str, message: str):
    (tmp_path / "bad.py").write_text(code)
    import time

    made = offer_named(f"command:{sys.executable} {tmp_path / 'bad.py'}").spec.resolve()()
    time.sleep(0.3)
    with pytest.raises(BrokenPlugin) as refused:
        made.score(AUDIO, LENGTHS)
    assert message in str(refused.value)


def test_a_program_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from spoofbench.adapters import programs

    monkeypatch.setattr(programs, "SECONDS", 0.3)
    (tmp_path / "slow.py").write_text("import time; time.sleep(60)")
    with pytest.raises(BrokenPlugin, match=r"gave no score in 0\.3 s"):
        scores(f"command:{sys.executable} {tmp_path / 'slow.py'}")


def test_no_shell_reads_the_command(tmp_path: Path):
    with pytest.raises((BrokenPlugin, UnknownName)):
        scores(f"command:true; touch {tmp_path / 'made'}")
    assert not (tmp_path / "made").exists()


class Loud(nn.Module):
    def forward(self, audio: Tensor) -> Tensor:
        return audio.abs().mean(dim=1)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_torchscript_file(tmp_path: Path):
    torch.jit.trace(Loud(), AUDIO).save(str(tmp_path / "loud.pt"))
    assert torch.allclose(scores(f"torchscript:{tmp_path / 'loud.pt'}"), EXPECTED)


def write_onnx(file: Path, batch: int | str) -> None:
    import onnx

    helper, kinds = onnx.helper, onnx.TensorProto
    graph = helper.make_graph(
        [
            helper.make_node("Abs", ["audio"], ["magnitude"]),
            helper.make_node("ReduceMean", ["magnitude", "axes"], ["score"], keepdims=0),
        ],
        "loud",
        [helper.make_tensor_value_info("audio", kinds.FLOAT, [batch, "time"])],
        [helper.make_tensor_value_info("score", kinds.FLOAT, [batch])],
        [helper.make_tensor("axes", kinds.INT64, [1], [1])],
    )
    opset = [helper.make_opsetid("", 18)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), str(file))


@pytest.mark.parametrize("batch", ["batch", 1])
def test_an_onnx_file_also_one_that_takes_single_utterances(tmp_path: Path, batch: int | str):
    write_onnx(tmp_path / "loud.onnx", batch)
    assert torch.allclose(scores(f"onnx:{tmp_path / 'loud.onnx'}"), EXPECTED)


def test_a_session_leaves_denormals_as_they_were(tmp_path: Path):
    """ONNX Runtime can be told to flush them, and then does so for the whole process."""
    write_onnx(tmp_path / "loud.onnx", "batch")
    scores(f"onnx:{tmp_path / 'loud.onnx'}")
    smallest = torch.finfo(torch.float32).tiny
    assert float(torch.tensor([smallest]).mul(0.5)) > 0


@pytest.mark.parametrize("kind", ["onnx", "torchscript"])
def test_a_file_of_another_kind_is_refused(kind: str, tmp_path: Path):
    (tmp_path / "a.bin").write_bytes(b"not a network")
    with pytest.raises(InvalidWeights, match=r"a\.bin is no"):
        scores(f"{kind}:{tmp_path / 'a.bin'}")
    with pytest.raises(UnknownName, match="there is no such file"):
        scores(f"{kind}:{tmp_path / 'b.bin'}")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("python:", "nothing stands behind the colon"),
        ("python:mine", "python:mine"),
        ("onnx:a.onnx,sign=up", "sign=up"),
        ("onnx:a.onnx,rate=high", "invalid literal"),
        ("onnx:a.onnx,samples=0", "above 0"),
    ],
)
def test_names_that_mean_nothing_are_refused(name: str, message: str):
    with pytest.raises((InvalidSettings, BrokenPlugin), match=message):
        scores(name)


@pytest.mark.parametrize("attribute", ["not_callable", "nobody"])
def test_what_cannot_be_called_is_refused(functions: Path, attribute: str):
    with pytest.raises(UnknownName, match="nothing callable"):
        scores(f"python:{functions}:{attribute}")


def test_a_wrong_number_of_scores_is_refused():
    with pytest.raises(BrokenPlugin, match=r"gave \(\) for 3 utterances|gave \(1,\)"):
        Call(lambda audio, lengths: 1.0, Options()).score(AUDIO, LENGTHS)


def test_options_are_part_of_the_spec_and_of_what_tells_runs_apart(functions: Path):
    plain = offer_named(f"python:{functions}:two,logit=1")
    other = offer_named(f"python:{functions}:two,logit=1,sign=-,samples=64600,rate=8000")
    assert (other.spec.samples, other.spec.sample_rate) == (64_600, 8_000)
    assert plain.spec.name == other.spec.name == "python-mine-two"
    assert plain.plugin.version != other.plugin.version
    functions.write_text(FUNCTIONS + "\n# changed\n")
    assert offer_named(f"python:{functions}:two,logit=1").plugin.version != plain.plugin.version


@pytest.mark.parametrize(("name", "is_one"), [("onnx:a", True), ("aasist", False), ("x:y", False)])
def test_what_is_an_adapter(name: str, is_one: bool):
    assert is_adapter(name) is is_one


def test_a_function_is_judged_like_any_model_and_shows_its_first_scores(
    functions: Path, tiny: Path, spoofbench_cli: Spoofbench
):
    where = ("--protocol", tiny / "tiny-eval.toml", "--data", tiny, "--workers", "0")
    done = spoofbench_cli("run", f"python:{functions}:loud", *where)
    assert done.code == 0, done.err
    assert "python-mine-loud" in done.out
    assert done.err.count("  bonafide  ") == 3
    assert done.err.count("  spoof  ") == 3
    assert "higher should be bona fide" in done.err
    turned = spoofbench_cli("run", f"python:{functions}:loud,sign=-", *where)
    assert turned.code == 0
    again = spoofbench_cli("run", f"python:{functions}:loud", *where)
    assert "scored before" in again.err


def test_a_score_file_is_judged_too(tiny: Path, spoofbench_cli: Spoofbench, tmp_path: Path):
    lines = (tiny / "keys" / "eval.txt").read_text().splitlines()
    scored = [f"{line.split()[1]} {int(line.endswith('bonafide'))}\n" for line in lines]
    (tmp_path / "mine.txt").write_text("".join(scored))
    done = spoofbench_cli(
        *("run", f"scores:{tmp_path / 'mine.txt'}", "--protocol", tiny / "tiny-eval.toml"),
        *("--data", tiny),
    )
    assert done.code == 0, done.err
    assert "mine" in done.out
