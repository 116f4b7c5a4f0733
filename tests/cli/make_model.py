"""Models as Keras writes them, for the tests of the binary; imported by the Python in test_*.sh.

The weights have the same bits on every machine and with every release of Python and NumPy.
"""

import json
import random

import h5py
import numpy as np


def dense(name, units, activation, **more):
    return {"class_name": "Dense", "config": {"name": name, "units": units, "activation": activation,
                                              "use_bias": True, **more}}


def write(path, inputs, layers, normalization=None):
    """A .h5 model that was never compiled, so it has no optimizer.

    `normalization` is the mean and the variance of the layer Normalization.
    """
    # Python promises the sequence of random() for ever; NumPy may change those of its generators.
    draw = random.Random(5)

    def weights_of(*shape):
        return np.array([draw.random() - 0.5 for _ in range(np.prod(shape))]).reshape(shape)

    first = {"class_name": "InputLayer", "config": {"batch_shape": [None, inputs], "name": "input"}}
    with h5py.File(path, "w") as model:
        model.attrs["keras_version"] = "3.5.0"
        model.attrs["backend"] = "tensorflow"
        model.attrs["model_config"] = json.dumps(
            {"class_name": "Sequential", "config": {"name": "other", "layers": [first, *layers]}})
        weights = model.create_group("model_weights")
        names, width = [], inputs
        for layer in layers:
            config = layer["config"]
            name = config["name"]
            names.append(name)
            group = weights.create_group(name)
            arrays = {}
            if layer["class_name"] == "Normalization":
                arrays = {"mean": normalization[0], "variance": normalization[1],
                          "count": np.array(0, np.int32)}
            if layer["class_name"] == "Dense":
                arrays = {"kernel": weights_of(width, config["units"])}
                if config["use_bias"]:
                    arrays["bias"] = weights_of(config["units"])
                width = config["units"]
            found = []
            for part, array in arrays.items():
                found.append(f"{name}/{part}")
                group.create_dataset(found[-1], data=np.asarray(
                    array, None if part == "count" else np.float32))
            group.attrs["weight_names"] = np.array(found, dtype="S")
        weights.attrs["layer_names"] = np.array(names, dtype="S")
