import torch

from spoofbench.processes import Processes, joined, own_device


def test_without_torchrun_there_is_one_process_and_nothing_is_set_up():
    with joined() as processes:
        assert processes == Processes(rank=0, count=1)
        assert processes.is_first
        assert not torch.distributed.is_initialized()
        processes.wait_for_all()  # returns at once


def test_only_the_process_of_rank_0_writes_results():
    assert [Processes(rank=rank, count=3).is_first for rank in range(3)] == [True, False, False]


def test_a_single_process_keeps_the_device_that_it_was_given():
    for name in ("cpu", "cuda", "cuda:1"):
        assert own_device(torch.device(name)) == torch.device(name)
