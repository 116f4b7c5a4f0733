"""peer_jax.py DATA.npz HIDDEN BATCH SECONDS [--threads T]

Trains a network with JAX on DATA's x_train and y_train: a whole epoch is one compiled function, a
lax.scan over the steps, and its buffers are donated. HIDDEN is a list as in dtrain's --hidden. Takes
about SECONDS after a warm-up. Prints one line of JSON: microseconds a step as the best of several
repetitions of whole epochs, shuffle included; the number of epochs and the last one's loss.
"""

import argparse
import functools
import json
import os
import sys
import time

import numpy as np

REPETITIONS = 4


def initial_state(jnp, widths):
    random = np.random.default_rng(1)
    params = []
    for inputs, outputs in zip(widths, widths[1:]):
        limit = np.sqrt(6 / (inputs + outputs))
        params.append((jnp.asarray(random.uniform(-limit, limit, (inputs, outputs)), jnp.float32),
                       jnp.zeros(outputs, jnp.float32)))
    zeros = [[(jnp.zeros_like(w), jnp.zeros_like(b)) for w, b in params] for _ in range(2)]
    return params, *zeros, jnp.zeros((), jnp.float32)


def make_epoch(jax, classes):
    jnp = jax.numpy

    def loss_of(params, inputs, targets):
        values = inputs
        for w, b in params[:-1]:
            values = jax.nn.relu(values @ w + b)
        w, b = params[-1]
        log_probabilities = jax.nn.log_softmax(values @ w + b)
        return -jnp.mean(jnp.sum(jax.nn.one_hot(targets, classes) * log_probabilities, axis=1))

    def adam(w, gradient, m, v, t):
        m = 0.9 * m + 0.1 * gradient
        v = 0.999 * v + 0.001 * gradient * gradient
        rate = 0.001 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        return w - rate * m / (jnp.sqrt(v) + 1e-7), m, v

    def step(x, y, state, rows):
        params, m, v, t = state
        inputs, targets = (a.at[rows].get(mode="promise_in_bounds", unique_indices=True)
                           for a in (x, y))
        loss, gradients = jax.value_and_grad(loss_of)(params, inputs, targets)
        leaves, tree = jax.tree.flatten(params)
        updated = [adam(*group, t + 1) for group in
                   zip(leaves, *map(jax.tree.leaves, (gradients, m, v)))]
        return (*(tree.unflatten(part) for part in zip(*updated)), t + 1), loss

    @functools.partial(jax.jit, donate_argnums=0)
    def epoch(state, order, x, y):
        state, losses = jax.lax.scan(functools.partial(step, x, y), state, order)
        return state, jnp.mean(losses)

    return epoch


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("hidden")
    parser.add_argument("batch", type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    # XLA starts a thread for each CPU that the process may use; compare.py limits them with taskset.
    if len(os.sched_getaffinity(0)) != arguments.threads:
        sys.exit(f"peer_jax.py: start it on {arguments.threads} CPU(s), with taskset -c")
    if arguments.threads == 1:
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    os.environ["JAX_PLATFORMS"] = "cpu"
    import jax  # pylint: disable=import-outside-toplevel

    with np.load(arguments.data) as data:
        inputs, targets = data["x_train"], data["y_train"].astype(np.int32)
    if len(inputs) % arguments.batch:
        sys.exit("peer_jax.py: the last batch of an epoch would be smaller")
    classes = int(targets.max()) + 1
    hidden = [int(units) for units in arguments.hidden.split(",")]
    x, y = jax.numpy.asarray(inputs), jax.numpy.asarray(targets)
    state = initial_state(jax.numpy, [inputs.shape[1], *hidden, classes])
    epoch = make_epoch(jax, classes)
    random = np.random.default_rng(2)
    done, loss = 0, 0.0

    def run(epochs):
        nonlocal state, done, loss
        begin = time.perf_counter()
        for _ in range(epochs):
            # NumPy's shuffle is faster than jax.random's.
            order = random.permutation(len(inputs)).astype(np.int32).reshape(-1, arguments.batch)
            state, loss = epoch(state, order, x, y)
        jax.block_until_ready(state)
        done, loss = done + epochs, float(loss)
        return time.perf_counter() - begin

    run(1)
    epochs = max(1, round(arguments.seconds / REPETITIONS / run(1)))
    best = min(run(epochs) for _ in range(REPETITIONS))
    print(json.dumps({"us": best / epochs / (len(inputs) // arguments.batch) * 1e6, "epochs": done,
                      "loss": loss, "how": "scan", "version": f"JAX {jax.__version__}"}))


if __name__ == "__main__":
    main()
