#!/usr/bin/python3
"""Checks that MODEL.h5 is what keras.models.load_model reads (Keras 2 and 3): check_model_h5.py MODEL.h5

Needs h5py and numpy, not Keras. Attributes of other names and a group /dtrain are left alone.
"""

import json
import sys

import h5py
import numpy as np

LOSS = "sparse_categorical_crossentropy"
LAYER_KEYS = {"name", "trainable", "dtype", "units", "activation", "use_bias"}
INPUT_KEYS = {"batch_input_shape", "dtype", "name"}
NORMALIZATION_KEYS = {"name", "trainable", "dtype", "axis", "mean", "variance"}
ACTIVATIONS = {"relu", "tanh", "sigmoid", "gelu", "silu", "elu", "selu", "leaky_relu", "softplus", "hard_sigmoid",
               "linear", "softmax"}


class Wrong(Exception):
    pass


ADAM = ["beta_1", "beta_2", "epsilon"]
OPTIMIZERS = {"Adam": ADAM, "AdamW": ADAM + ["weight_decay"], "Nadam": ADAM,
              "RMSprop": ["rho", "epsilon"], "Adagrad": ["epsilon"], "SGD": ["momentum", "nesterov"]}
STATES = {"adam": ["m", "v"], "adamw": ["m", "v"], "nadam": ["m", "v"], "rmsprop": ["velocity"],
          "adagrad": ["accumulator"], "sgd": ["momentum"]}
SQUARES = {"v", "velocity", "accumulator"}


def expect(condition, message):
    if not condition:
        raise Wrong(message)


def equal(found, expected, what):
    expect(type(found) is type(expected) and found == expected,
           f"{what}: expected {expected!r}, found {found!r}")


def attribute(thing, name, dims):
    """Returns the low-level attribute, which is variable-length text of that many dimensions."""
    expect(name in thing.attrs, f"{thing.name}: no attribute {name}")
    low = thing.attrs.get_id(name)
    expect(h5py.check_string_dtype(low.dtype) is not None and
           h5py.check_string_dtype(low.dtype).length is None,
           f"{thing.name}: attribute {name}: expected variable-length text, found {low.dtype}")
    kind = low.get_space().get_simple_extent_type()
    expect(kind == (h5py.h5s.SIMPLE if dims else h5py.h5s.SCALAR) and len(low.shape) == dims,
           f"{thing.name}: attribute {name}: expected {dims} dimensions, found shape {low.shape}")
    return thing.attrs[name]


def text(thing, name):
    return attribute(thing, name, 0)


def texts(thing, name):
    return [t if isinstance(t, str) else t.decode() for t in attribute(thing, name, 1)]


def parse(file, name):
    try:
        return json.loads(text(file, name))
    except ValueError as error:
        raise Wrong(f"attribute {name}: not JSON: {error}") from error


def check_versions(thing):
    expect(text(thing, "keras_version").startswith("2."),
           f"{thing.name}: keras_version: expected 2.x, found {text(thing, 'keras_version')!r}")
    equal(text(thing, "backend"), "tensorflow", f"{thing.name}: backend")


def check_normalization(layer, inputs):
    """Its numbers are in the configuration: Keras 3.3 does not go by weights of it in a .h5."""
    what = "model_config: Normalization"
    equal(sorted(layer), ["class_name", "config"], f"{what}: keys")
    config = layer["config"]
    equal(set(config), NORMALIZATION_KEYS, f"{what}: config keys")
    equal(config["axis"], [-1], f"{what}: axis")
    equal(config["dtype"], "float32", f"{what}: dtype")
    for key in ("mean", "variance"):
        expect(len(config[key]) == inputs and all(type(x) is float for x in config[key]) and
               np.isfinite(config[key]).all(),
               f"{what}: {key}: expected {inputs} finite numbers, found {config[key]}")
    expect(min(config["variance"]) >= 0, f"{what}: a variance is negative")


def check_model_config(config):
    """Returns the number of inputs and the configurations of the Dense layers."""
    equal(sorted(config), ["class_name", "config"], "model_config: keys")
    equal(config["class_name"], "Sequential", "model_config: class_name")
    equal(sorted(config["config"]), ["layers", "name"], "model_config: config: keys")
    first, *rest = config["config"]["layers"]
    equal(first["class_name"], "InputLayer", "model_config: the first layer")
    equal(set(first["config"]), INPUT_KEYS, "model_config: the input layer's keys")
    shape = first["config"]["batch_input_shape"]
    expect(len(shape) == 2 and shape[0] is None and type(shape[1]) is int and shape[1] > 0,
           f"model_config: batch_input_shape: expected [null, inputs], found {shape}")
    equal(first["config"]["dtype"], "float32", "model_config: the input layer's dtype")
    if rest and rest[0]["class_name"] == "Normalization":
        check_normalization(rest.pop(0), shape[1])
    expect(rest, "model_config: no Dense layer")
    for i, layer in enumerate(rest):
        name = "dense" if i == 0 else f"dense_{i}"
        what = f"model_config: layer {name}"
        equal(sorted(layer), ["class_name", "config"], f"{what}: keys")
        equal(layer["class_name"], "Dense", f"{what}: class_name")
        layer = layer["config"]
        equal(set(layer), LAYER_KEYS, f"{what}: config keys")
        equal(layer["name"], name, f"{what}: name")
        equal(layer["dtype"], "float32", f"{what}: dtype")
        equal(layer["use_bias"], True, f"{what}: use_bias")
        equal(layer["trainable"], True, f"{what}: trainable")
        expect(type(layer["units"]) is int and layer["units"] > 0,
               f"{what}: units: expected a positive integer, found {layer['units']!r}")
        expect(layer["activation"] in ACTIVATIONS,
               f"{what}: activation: found {layer['activation']!r}")
    equal(rest[-1]["config"]["activation"], "softmax", "model_config: the last activation")
    return shape[1], [layer["config"] for layer in rest]


def check_training_config(config):
    equal(sorted(config), ["loss", "loss_weights", "metrics", "optimizer_config",
                           "weighted_metrics"], "training_config: keys")
    equal(config["loss"], LOSS, "training_config: loss")
    equal(config["metrics"], ["accuracy"], "training_config: metrics")
    equal(config["weighted_metrics"], None, "training_config: weighted_metrics")
    equal(config["loss_weights"], None, "training_config: loss_weights")
    optimizer = config["optimizer_config"]
    expect(optimizer["class_name"] in OPTIMIZERS,
           f"training_config: optimizer: found {optimizer['class_name']!r}")
    numbers = ["learning_rate"] + OPTIMIZERS[optimizer["class_name"]]
    equal(sorted(optimizer["config"]), sorted(numbers + ["name"]),
          "training_config: optimizer keys")
    for key in numbers:
        expect(type(optimizer["config"][key]) is (bool if key == "nesterov" else float),
               f"training_config: {key}: found {optimizer['config'][key]!r}")


def check_weight(layer, name, shape):
    what = f"{layer.name}/{name}"
    expect(isinstance(layer.get(name), h5py.Dataset), f"{what}: no such dataset")
    equal(layer.get(name, getlink=True).__class__, h5py.HardLink, f"{what}: link")
    data = layer[name]
    equal(data.shape, shape, f"{what}: shape")
    equal(data.dtype.str, "<f4", f"{what}: type")
    equal(data.id.get_create_plist().get_layout(), h5py.h5d.CONTIGUOUS, f"{what}: layout")
    expect(data.external is None and not data.is_virtual, f"{what}: its data is elsewhere")
    expect(np.isfinite(data[()]).all(), f"{what}: holds NaN or infinity")
    return data.size


def check_weights(weights, inputs, layers):
    """Returns the number of parameters."""
    parameters = 0
    check_versions(weights)
    equal(texts(weights, "layer_names"), [layer["name"] for layer in layers], "layer_names")
    for config in layers:
        layer, units = weights[config["name"]], config["units"]
        names = texts(layer, "weight_names")
        equal(names, [f"{config['name']}/{part}:0" for part in ("kernel", "bias")],
              f"{layer.name}: weight_names")
        parameters += check_weight(layer, names[0], (inputs, units))
        parameters += check_weight(layer, names[1], (units,))
        inputs = units
    return parameters


def check_own(group, parameters):
    """dtrain's own part."""
    equal(int(group.attrs["format_version"]), 1, "/dtrain: format_version")
    model = parse(group, "model")
    equal(sorted(model), ["inputs", "layers", "loss", "optimizer"], "/dtrain: model: keys")
    equal(model["loss"], LOSS, "/dtrain: model: loss")
    found = []
    group["tensors"].visititems(lambda name, item: found.append(item)
                                if isinstance(item, h5py.Dataset) else None)
    trained = [item for item in found if item.name.rsplit("/", 1)[1] in ("kernel", "bias")]
    equal(sum(item.size for item in trained), parameters, "/dtrain/tensors: numbers that train")
    kinds = [layer["kind"] for layer in model["layers"]]
    equal(len(trained), 2 * kinds.count("dense"), "/dtrain/tensors: tensors that train")
    optimizer = model["optimizer"]
    if not optimizer["has_state"]:
        expect("optimizer" not in group, "/dtrain/optimizer, but has_state is false")
        return
    expect(optimizer["step"] > 0, "/dtrain: step is not positive")
    for name in STATES[optimizer["kind"]]:
        check_weight(group["optimizer"], name, (parameters,))
        expect(name not in SQUARES or (group[f"optimizer/{name}"][()] >= 0).all(),
               f"/dtrain/optimizer/{name}: negative numbers")


def check(path):
    with open(path, "rb") as stream:
        head = stream.read(9)
    equal(head, b"\x89HDF\r\n\x1a\n\0", "the signature and superblock 0")
    with h5py.File(path, "r") as file:
        check_versions(file)
        inputs, layers = check_model_config(parse(file, "model_config"))
        check_training_config(parse(file, "training_config"))
        expect("optimizer_weights" not in file, "/optimizer_weights: Keras 3 could not fit then")
        expect("model_weights" in file, "no group /model_weights")
        parameters = check_weights(file["model_weights"], inputs, layers)
        check_own(file["dtrain"], parameters)
    chain = "-".join(str(n) for n in [inputs] + [layer["units"] for layer in layers])
    return f"{chain}, {parameters} parameters"


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: check_model_h5.py MODEL.h5")
    try:
        print(f"ok {sys.argv[1]}: {check(sys.argv[1])}")
    except (Wrong, OSError, KeyError, TypeError, ValueError) as error:
        sys.exit(f"{sys.argv[1]}: {type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
