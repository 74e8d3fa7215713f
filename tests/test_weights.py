import contextlib
import hashlib
import http.server
import os
import pickle
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from spoofbench import weights
from spoofbench.errors import DownloadFailed, InvalidWeights, UnknownName
from spoofbench.fingerprint import sha256
from spoofbench.specs import Checkpoint, ModelSpec
from spoofbench.training.recipe import Recipe
from spoofbench.weights import Origin, Weights

ORIGIN = Origin(
    model="small", train="t", dev="d", epoch=3, dev_eer=0.125, seed=7, recipe=Recipe(epochs=4)
)


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 2)
        self.norm = nn.BatchNorm1d(2)


class Renaming(Small):
    """Its published checkpoint calls the layer ``fc``."""

    def rename_published(self, state: dict[str, Tensor]) -> dict[str, Tensor]:
        return {name.replace("fc.", "layer."): tensor for name, tensor in state.items()}


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Linear(2, 2)
        self.other = nn.Linear(2, 2)
        self.other.weight = self.one.weight


def small(seed: int = 0) -> Small:
    torch.manual_seed(seed)
    return Small()


@pytest.fixture(autouse=True)
def _random_state_is_given_back() -> Iterator[None]:
    with torch.random.fork_rng():
        yield


def of(file: Path) -> Weights:
    return Weights(file=file, source="file", sha256="")


def equal(one: nn.Module, other: nn.Module) -> bool:
    mine, yours = one.state_dict(), other.state_dict()
    return mine.keys() == yours.keys() and all(torch.equal(mine[k], yours[k]) for k in mine)


def refused(model: nn.Module, file: Path) -> InvalidWeights:
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(InvalidWeights) as error:
        weights.load(model, of(file))
    assert str(file) in str(error.value)
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items()), "model changed"
    return error.value


# what is loaded


def test_weights_come_back_from_a_file_bit_by_bit_with_their_origin(tmp_path):
    file, trained, other = tmp_path / "w.safetensors", small(1), small(2)
    weights.save(trained, file, ORIGIN)
    weights.load(other, of(file))
    assert equal(trained, other)
    assert weights.origin_of(file) == ORIGIN


def test_weights_that_share_memory_can_be_saved(tmp_path):
    file, model = tmp_path / "w.safetensors", Tied()
    weights.save(model, file, ORIGIN)
    other = Tied()
    weights.load(other, of(file))
    assert equal(model, other)


def test_a_state_dict_saved_by_torch_is_loaded(tmp_path):
    trained, other = small(1), small(2)
    torch.save(trained.state_dict(), tmp_path / "w.pth")
    weights.load(other, of(tmp_path / "w.pth"))
    assert equal(trained, other)
    assert weights.origin_of(tmp_path / "w.pth") is None


def test_published_names_are_translated_where_the_model_knows_them(tmp_path):
    published = {k.replace("layer.", "fc."): v for k, v in small(1).state_dict().items()}
    torch.save(published, tmp_path / "w.pth")
    model = Renaming()
    weights.load(model, of(tmp_path / "w.pth"))
    assert equal(model, small(1))


# what is refused


def test_weights_of_another_model_are_refused_with_what_does_not_fit(tmp_path):
    state = small().state_dict()
    state["layer.weight"] = torch.zeros(5, 3)
    state["extra"] = torch.zeros(1)
    del state["norm.bias"]
    torch.save(state, tmp_path / "w.pth")
    said = str(refused(small(1), tmp_path / "w.pth"))
    assert "another model" in said
    for name in ("layer.weight", "extra", "norm.bias"):
        assert name in said


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
def test_a_truncated_file_is_refused_wherever_it_was_cut(tmp_path, name):
    file = tmp_path / name
    if name.endswith("pth"):
        torch.save(small().state_dict(), file)
    else:
        weights.save(small(), file, ORIGIN)
    whole = file.read_bytes()
    for length in (0, 1, 7, 8, 100, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:length])
        refused(small(1), file)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_truncated_old_style_checkpoint_is_refused_wherever_it_was_cut(tmp_path, protocol):
    file = tmp_path / "w.pth"
    torch.save(
        small().state_dict(), file, _use_new_zipfile_serialization=False, pickle_protocol=protocol
    )
    whole = file.read_bytes()
    for length in range(0, len(whole) - 1, 29):
        file.write_bytes(whole[:length])
        refused(small(1), file)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_a_damaged_checkpoint_is_refused_or_read_but_never_a_crash(tmp_path):
    file, random = tmp_path / "w.pth", np.random.default_rng(0)
    torch.save(small().state_dict(), file, _use_new_zipfile_serialization=False)
    whole = file.read_bytes()
    for _ in range(200):
        damaged = bytearray(whole)
        damaged[random.integers(len(whole))] ^= 1 << random.integers(8)
        file.write_bytes(damaged)
        with contextlib.suppress(InvalidWeights):
            weights.load(small(1), of(file))


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
@pytest.mark.parametrize("text", ["version https://git-lfs.github.com/spec/v1\n", "hello", "{}"])
def test_a_text_file_is_refused(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    refused(small(), tmp_path / name)


class Malice:
    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.victim),)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_code_in_a_pickle_is_refused_and_not_run(tmp_path):
    victim = tmp_path / "pwned"
    torch.save({**small().state_dict(), "x": Malice(victim)}, tmp_path / "zip.pth")
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(Malice(victim)))
    for name in ("zip.pth", "plain.pth"):
        assert "code" in str(refused(small(), tmp_path / name))
        assert not victim.exists()
    torch.load(tmp_path / "zip.pth", weights_only=False)
    assert victim.exists(), "the file was harmless, so this test shows nothing"


@pytest.mark.parametrize("value", [{"state_dict": {"a": torch.zeros(1)}}, [1, 2], 7, {1: 2}])
def test_anything_but_a_plain_state_dict_is_refused(tmp_path, value):
    torch.save(value, tmp_path / "w.pth")
    assert "state_dict()" in refused(small(), tmp_path / "w.pth").hint


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused_by_name(tmp_path, value):
    model = small()
    with torch.no_grad():
        model.layer.bias[1] = value
    torch.save(model.state_dict(), tmp_path / "w.pth")
    assert "layer.bias" in str(refused(small(1), tmp_path / "w.pth"))


def test_a_note_that_cannot_be_read_is_refused(tmp_path):
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(1)}, tmp_path / "w.safetensors", {"spoofbench": "{}"})
    with pytest.raises(InvalidWeights, match="note"):
        weights.origin_of(tmp_path / "w.safetensors")


def test_a_name_that_is_neither_published_nor_a_file_is_refused_with_what_there_is():
    with pytest.raises(UnknownName, match="offical") as error:
        weights.find(spec("http://localhost/w.pth", b""), "offical")
    assert "'official'" in error.value.hint


def test_a_file_is_found_with_its_checksum(tmp_path):
    (tmp_path / "w.pth").write_bytes(b"abc")
    found = weights.find(spec("http://localhost/w.pth", b""), str(tmp_path / "w.pth"))
    assert found.sha256 == hashlib.sha256(b"abc").hexdigest()
    assert found.name == "w.pth"


# fetching


CONTENT = bytes(range(256)) * 400


class Server(http.server.BaseHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path == "/absent.pth":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[: 1_000 if self.path == "/cut.pth" else None])
        self.close_connection = True

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    """Its address, and the paths that it was asked for."""
    asked: list[str] = []
    handler = type("Handler", (Server,), {"asked": asked})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}", asked
        running.shutdown()
        thread.join()


def spec(url: str, content: bytes) -> ModelSpec:
    return ModelSpec(
        name="small",
        target="package.module:Small",
        summary="Small.",
        checkpoints=(
            Checkpoint(
                name="official",
                url=url,
                sha256=hashlib.sha256(content).hexdigest(),
                size=len(content),
                licence="MIT",
                source="https://example.org",
            ),
        ),
    )


def cached() -> list[Path]:
    folder = Path(os.environ["SPOOFBENCH_CACHE"])
    return [path for path in folder.rglob("*") if path.is_file()]


def test_published_weights_are_fetched_once_and_then_taken_from_the_cache(server):
    address, asked = server
    first = weights.find(spec(f"{address}/w.pth", CONTENT), "official")
    again = weights.find(spec(f"{address}/w.pth", CONTENT), "official")
    assert first == again
    assert first.source == first.name == "official"
    assert first.file.read_bytes() == CONTENT
    assert sha256(first.file) == first.sha256
    assert asked == ["/w.pth"]


def test_a_damaged_file_in_the_cache_is_fetched_again(server):
    address, asked = server
    file = weights.find(spec(f"{address}/w.pth", CONTENT), "official").file
    file.write_bytes(b"damaged")
    again = weights.find(spec(f"{address}/w.pth", CONTENT), "official")
    assert again.file.read_bytes() == CONTENT
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("path", "said"),
    [("w.pth", "another checksum"), ("absent.pth", "HTTPError"), ("cut.pth", "cannot be fetched")],
)
def test_what_does_not_arrive_whole_and_right_is_an_error_and_is_not_kept(server, path, said):
    address, _ = server
    expected = b"something else" if path == "w.pth" else CONTENT
    with pytest.raises(DownloadFailed, match=said) as error:
        weights.find(spec(f"{address}/{path}", expected), "official")
    assert f"{address}/{path}" in str(error.value)
    assert "--weights FILE" in error.value.hint
    assert cached() == []


def test_a_server_that_does_not_answer_is_an_error():
    with pytest.raises(DownloadFailed, match="ConnectionError"):
        weights.find(spec("http://127.0.0.1:9/w.pth", CONTENT), "official")
