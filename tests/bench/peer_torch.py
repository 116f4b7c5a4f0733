"""peer_torch.py DATA.npz HIDDEN BATCH SECONDS [--ranks R] [--threads T]

Trains D-HIDDEN-C with PyTorch on DATA's inputs and targets, in the plain loop that a user writes
over tensors in memory, for about SECONDS after a warm-up. Prints one line of JSON: microseconds a
step, as the best of several repetitions of whole epochs, the last epoch and its loss, and the BLAS.
With --ranks R it is DistributedDataParallel over gloo, one process a rank, BATCH rows over all of
them; the loss is then rank 0's.
"""

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch
import torch.distributed
from threadpoolctl import threadpool_info
from torch import nn

REPETITIONS = 4


def build(columns, hidden, classes):
    return nn.Sequential(nn.Linear(columns, hidden), nn.ReLU(), nn.Linear(hidden, classes))


def train_epoch(model, optimizer, loss_of, x, y, batch, epoch, rank, ranks):
    """One epoch over this rank's part of each batch; returns the steps' mean loss as a tensor."""
    generator = torch.Generator().manual_seed(epoch)
    order = torch.randperm(len(x), generator=generator)
    share = batch // ranks
    total = torch.zeros(())  # without item(): nothing waits for a number
    for first in range(0, len(x), batch):
        rows = order[first + rank * share:min(first + (rank + 1) * share, len(x))]
        optimizer.zero_grad(set_to_none=True)  # the quicker way, and the default from 2.0 on
        loss = loss_of(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        total += loss.detach()
    return total / -(-len(x) // batch)


def measure(arguments, rank, ranks):
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    with np.load(arguments.data) as data:
        x, y = torch.from_numpy(data["inputs"]), torch.from_numpy(data["targets"])
    if ranks > 1 and (arguments.batch % ranks or len(x) % arguments.batch):
        sys.exit("peer_torch.py: the batches cannot be shared out evenly")
    model = build(x.shape[1], arguments.hidden, int(y.max()) + 1)
    if ranks > 1:
        model = nn.parallel.DistributedDataParallel(model)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001, eps=1e-7)
    loss_of = nn.CrossEntropyLoss()
    epoch, loss = 0, 0.0

    def run(epochs):
        nonlocal epoch, loss
        begin = time.perf_counter()
        for _ in range(epochs):
            epoch += 1
            loss = train_epoch(model, optimizer, loss_of, x, y, arguments.batch, epoch, rank, ranks)
        loss = float(loss)
        return time.perf_counter() - begin

    run(1)
    epochs = torch.tensor(max(1, round(arguments.seconds / REPETITIONS / run(1))))
    if ranks > 1:
        torch.distributed.broadcast(epochs, 0)
    epochs = int(epochs)
    best = min(run(epochs) for _ in range(REPETITIONS))
    us = best / epochs / -(-len(x) // arguments.batch) * 1e6
    return {"us": us, "epoch": epoch, "loss": loss, "version": torch.__version__, "blas": blas()}


def blas():
    found = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    return "; ".join(f"{pool['internal_api']} {pool['version']}, {pool.get('architecture')} "
                     f"kernels, threads: {pool['num_threads']}" for pool in found)


def measure_as_rank(arguments, rank, rendezvous):
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")  # a container may not know its own name
    torch.distributed.init_process_group("gloo", init_method=f"file://{rendezvous}", rank=rank,
                                         world_size=arguments.ranks,
                                         timeout=datetime.timedelta(seconds=120))
    result = measure(arguments, rank, arguments.ranks)
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()
    return result


def measure_ranks(arguments):
    """Rank 0: starts the others as processes of the same command."""
    with tempfile.TemporaryDirectory(prefix="dtrain-ddp.") as folder:
        rendezvous = os.path.join(folder, "store")
        others = [subprocess.Popen([sys.executable, *sys.argv, "--as-rank", str(rank), rendezvous])
                  for rank in range(1, arguments.ranks)]
        result = measure_as_rank(arguments, 0, rendezvous)
        if any([other.wait() for other in others]):
            sys.exit("peer_torch.py: a rank failed")
    return result


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("hidden", type=int)
    parser.add_argument("batch", type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--as-rank", nargs=2, metavar=("RANK", "FILE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.as_rank:
        measure_as_rank(arguments, int(arguments.as_rank[0]), arguments.as_rank[1])
    else:
        run = measure(arguments, 0, 1) if arguments.ranks == 1 else measure_ranks(arguments)
        print(json.dumps(run))


if __name__ == "__main__":
    main()
