"""peer_tabm.py FOLDER [--threads T] [--epochs N]

Trains the network of `dtrain train FOLDER --preset tabular` with its authors' implementation: the packages tabm and
rtdl_num_embeddings for PyTorch (pip install tabm). FOLDER is what `dtrain prepare --preset tabular` made of a table
with classes. The same sizes: 8 members, 2 layers of 256, 48 bins, encoding 8, dropout 0.1, batches of 256 rows;
AdamW and averaged weights, both fused. Inputs that are only 0 and 1 are not encoded. Prints the rows a second of
training, without validation, of the best epoch: of the plain program, and with torch.compile.
"""

import argparse
import pathlib
import time

import numpy as np
import tabm
import torch
from rtdl_num_embeddings import PiecewiseLinearEmbeddings, compute_bins
from torch import nn

MEMBERS, BINS, WIDTH, HIDDEN, LAYERS, BATCH = 8, 48, 8, 256, 2, 256


class Network(nn.Module):
    def __init__(self, x, binary, classes):
        super().__init__()
        self.binary = binary
        self.embed = PiecewiseLinearEmbeddings(compute_bins(x[:, ~binary], n_bins=BINS), WIDTH,
                                               activation=False, version="B")
        inputs = int((~binary).sum()) * WIDTH + int(binary.sum())
        self.net = tabm.TabM(n_num_features=inputs, cat_cardinalities=[], d_out=classes, n_blocks=LAYERS,
                             d_block=HIDDEN, dropout=0.1, k=MEMBERS, arch_type="tabm-mini",
                             start_scaling_init="normal")

    def forward(self, x):
        h = torch.cat([self.embed(x[:, ~self.binary]).flatten(1), x[:, self.binary]], 1)
        return self.net(h)


def measure(x, y, binary, epochs, compiled):
    torch.manual_seed(1)
    network = Network(x, binary, int(y.max()) + 1)
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=0.03, fused=True)
    average = [p.detach().clone() for p in network.parameters()]

    def loss_of(rows, targets):
        out = network(rows)
        return nn.functional.cross_entropy(out.flatten(0, 1), targets.repeat_interleave(MEMBERS))

    if compiled:
        loss_of = torch.compile(loss_of)
    best = 0.0
    for _ in range(epochs):
        order = torch.randperm(len(x))
        begin = time.perf_counter()
        for first in range(0, len(x) - BATCH + 1, BATCH):
            rows = order[first:first + BATCH]
            optimizer.zero_grad(set_to_none=True)
            loss_of(x[rows], y[rows]).backward()
            optimizer.step()
            torch._foreach_lerp_(average, list(network.parameters()), 0.002)
        best = max(best, len(x) // BATCH * BATCH / (time.perf_counter() - begin))
    return best, sum(p.numel() for p in network.parameters())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=5)
    words = parser.parse_args()
    torch.set_num_threads(words.threads)
    with np.load(words.folder / "train.npz") as arrays:
        x, y = torch.tensor(arrays["inputs"]), torch.tensor(arrays["targets"].astype(np.int64))
    binary = ((x == 0) | (x == 1)).all(0)
    for compiled in (False, True):
        rate, count = measure(x, y, binary, words.epochs, compiled)
        print(f"PyTorch {torch.__version__}, {'compiled' if compiled else 'plain'}, {words.threads} threads: "
              f"{rate:.0f} rows/s, {count} parameters", flush=True)


main()
