"""The program's side: start models of the reference's own weights, runs of dtrain from them, and what they come to."""

import json
import os
import re
import subprocess

import h5py
import numpy as np

from functions import LOSSES

DTRAIN = os.environ["DTRAIN"]
# The options of a plan's fields; one whose value is the default is not given.
OPTIONS = {"optimizer": "--optimizer", "rate": "--learning-rate", "epochs": "--epochs", "momentum": "--momentum",
           "rho": "--rho", "schedule": "--schedule", "schedule_factor": "--schedule-factor",
           "schedule_every": "--schedule-every", "warmup": "--warmup", "weight_decay": "--weight-decay",
           "ema": "--ema", "l2": "--l2", "l1": "--l1", "clip_norm": "--clip-norm", "clip_value": "--clip-value",
           "max_norm": "--max-norm"}


class Wrong(Exception):
    pass


def run(*words):
    done = subprocess.run([DTRAIN, *map(str, words)], capture_output=True, text=True, timeout=300,
                          stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise Wrong(f"dtrain {' '.join(map(str, words))}: exit status {done.returncode}\n{done.stderr}{done.stdout}")
    return done.stdout


def names_in_help(option):
    listed = re.search(rf"^  --{option} .*?\(([a-z_|\s-]*\|[a-z_|\s-]*)\)", run("--help"), re.M | re.S)
    if listed is None:
        raise Wrong(f"--help does not list the names of --{option}")
    return set(re.sub(r"\s", "", listed[1]).split("|"))


def save_rows(prefix, train, validation):
    for part, rows in (("train", train), ("validation", validation), ("test", validation)):
        np.savez(f"{prefix}-{part}.npz", inputs=rows.x, targets=rows.y, w=rows.w.astype(np.float32))


def save_start(path, network, inputs, plan, scales):
    """A model of dtrain's own format that no run has written, with an optimizer at its start."""
    optimizer = {"kind": "adam", "learning_rate": plan.rate, "weight_decay": 0.0, "beta_1": plan.beta_1,
                 "beta_2": plan.beta_2, "epsilon": plan.epsilon, "step": 0, "has_state": False}
    layers = [{"kind": layer.kind, **layer.options} for layer in network.layers]
    model = {"inputs": inputs, "loss": LOSSES[plan.loss][0], "layers": layers, "optimizer": optimizer}
    if scales:
        model["targets"] = scales
    with h5py.File(path, "w") as file:
        group = file.create_group("dtrain")
        group.attrs["format_version"] = 1
        group.attrs["model"] = json.dumps(model)
        for name, layer in zip(network.names, network.layers):
            for tensor, values in {**layer.params, **layer.moving, **layer.constants}.items():
                group[f"tensors/{name}/{tensor}"] = values.astype(np.float32)


def options_of(plan, default, number_option):
    words = ["--nesterov"] if plan.nesterov else []
    for field, option in OPTIONS.items():
        value = getattr(plan, field)
        if value != getattr(default, field) or field in ("optimizer", "rate", "epochs"):
            words += [option, value]
    return [*words, number_option, plan.number] if number_option else words


def results(folder, names):
    """{"layer/tensor": array} of the model, and the losses of each epoch."""
    with h5py.File(f"{folder}/model.h5", "r") as model:
        values = {name: model[f"dtrain/tensors/{name}"][()].astype(float) for name in names}
    with h5py.File(f"{folder}/run.h5", "r") as log:
        epochs = log["epochs"][()]
    return values, list(epochs["train_loss"]), list(epochs["val_loss"])
