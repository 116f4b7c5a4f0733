"""peer_torch.py DATA.npz HIDDEN BATCH SECONDS [--threads T]

Trains a network with PyTorch on DATA's x_train and y_train: the plain loop over tensors in memory,
with the fused Adam, once as it is and once with the forward and backward pass through torch.compile.
HIDDEN is a list as in dtrain's --hidden. Each way takes about SECONDS after a warm-up. Prints one
line of JSON: microseconds a step of the faster way ("how" names it), as the best of several
repetitions of whole epochs, shuffle included; the number of epochs and the last one's loss.
"""

import argparse
import json
import re
import sys
import time

import numpy as np
import torch
from torch import nn

REPETITIONS = 4


def build(widths):
    layers = []
    for inputs, outputs in zip(widths, widths[1:]):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def train_epoch(loss_of, optimizer, x, y, batch):
    """Returns the steps' mean loss as a tensor, so that nothing waits for the number."""
    order = torch.randperm(len(x))
    total = torch.zeros(())
    for first in range(0, len(x), batch):
        rows = order[first:first + batch]
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(x[rows], y[rows])
        loss.backward()
        optimizer.step()
        total += loss.detach()
    return total * batch / len(x)


def measure(hidden, batch, seconds, x, y, compiled):
    torch.manual_seed(1)
    model = build([x.shape[1], *hidden, int(y.max()) + 1])
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001, eps=1e-7, fused=True)

    def loss_of(inputs, targets):
        return nn.functional.cross_entropy(model(inputs), targets)

    if compiled:
        loss_of = torch.compile(loss_of)
    done, loss = 0, 0.0

    def run(epochs):
        nonlocal done, loss
        begin = time.perf_counter()
        for _ in range(epochs):
            loss = train_epoch(loss_of, optimizer, x, y, batch)
        done, loss = done + epochs, float(loss)
        return time.perf_counter() - begin

    run(1)
    epochs = max(1, round(seconds / REPETITIONS / run(1)))
    best = min(run(epochs) for _ in range(REPETITIONS))
    return {"us": best / epochs / (len(x) // batch) * 1e6, "epochs": done, "loss": loss,
            "how": "torch.compile" if compiled else "plain"}


def version():
    mkl = re.search(r"Math Kernel Library Version (\S+)", torch.__config__.show())
    capability = torch.backends.cpu.get_cpu_capability()
    return f"PyTorch {torch.__version__}, {f'MKL {mkl[1]}, ' if mkl else ''}{capability} kernels"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("hidden")
    parser.add_argument("batch", type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    with np.load(arguments.data) as data:
        x, y = torch.from_numpy(data["x_train"]), torch.from_numpy(data["y_train"])
    if len(x) % arguments.batch:
        sys.exit("peer_torch.py: the last batch of an epoch would be smaller")
    hidden = [int(units) for units in arguments.hidden.split(",")]
    setting = (hidden, arguments.batch, arguments.seconds, x, y)
    ways = [measure(*setting, compiled=False)]
    try:
        ways.append(measure(*setting, compiled=True))
    except Exception as error:  # pylint: disable=broad-except
        # It needs a C++ compiler and Python's headers.
        print(f"peer_torch.py: torch.compile fails: {str(error).strip()[:300]}", file=sys.stderr)
    best = min(ways, key=lambda way: way["us"])
    print(json.dumps({**best, "ways": {way["how"]: way["us"] for way in ways},
                      "version": version()}))


if __name__ == "__main__":
    main()
