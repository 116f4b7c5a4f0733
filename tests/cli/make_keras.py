"""Models of layers of any class as Keras 1, 2 and 3 write them, and what they predict, by NumPy.

Imported by the Python in test_keras_*.sh. A model is a list of layers, class name and configuration
each, of which some may be models: their configuration has "layers". Weights are drawn. `save` writes it in each of the forms, `predict` computes in float64.
"""

import io
import json
import math
import re
import zipfile

import h5py
import numpy as np

FORMS = "keras3.keras", "keras3.h5", "keras2.keras", "keras2.h5"
EPSILON = 1e-3
_random = np.random.default_rng(12)


def _draw(*shape, low=-1.0, high=1.0):
    return _random.uniform(low, high, shape).astype(np.float32)


# ---- activations ----

def _rectifier(x, slope=0.0, limit=math.inf, threshold=0.0, curve=0.0):
    below = slope * (x - threshold) + curve * np.expm1(np.minimum(x, 0))
    return np.where(x >= limit, limit, np.where(x >= threshold, x, below))


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    powers = np.exp(x - x.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


FUNCTIONS = {
    None: lambda x: x, "linear": lambda x: x, "tanh": np.tanh, "sigmoid": _sigmoid, "softmax": softmax,
    "relu": _rectifier, "relu6": lambda x: _rectifier(x, limit=6.0),
    "leaky_relu": lambda x: _rectifier(x, slope=0.2), "elu": lambda x: _rectifier(x, curve=1.0),
    "selu": lambda x: 1.0507009873554805 * _rectifier(x, curve=1.6732632423543772),
    "silu": lambda x: x * _sigmoid(x), "swish": lambda x: x * _sigmoid(x),
    "gelu": lambda x: x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2))),
    "softplus": lambda x: np.log1p(np.exp(x)),
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "hard_sigmoid_of_2": lambda x: np.clip(x / 5 + 0.5, 0, 1),
}


def _activation_class(class_name, c):
    if class_name == "ReLU":
        return lambda x: _rectifier(x, c.get("negative_slope", 0), c.get("max_value") or math.inf,
                                    c.get("threshold", 0))
    if class_name == "LeakyReLU":
        return lambda x: _rectifier(x, c.get("negative_slope", c.get("alpha", 0.3)))
    if class_name == "ELU":
        return lambda x: _rectifier(x, curve=c.get("alpha", 1.0))
    if class_name == "ThresholdedReLU":
        return lambda x: _rectifier(x, threshold=c.get("theta", 1.0))
    return FUNCTIONS["softmax"] if class_name == "Softmax" else None


def _function(activation, keras_2):
    if isinstance(activation, dict):
        if activation["class_name"] == "function":
            return _function(activation["config"], keras_2)
        return _activation_class(activation["class_name"], activation["config"])
    return FUNCTIONS["hard_sigmoid_of_2" if activation == "hard_sigmoid" and keras_2 else activation]


# ---- models ----

class Model:
    """Draws the weights: [name, array] of each layer, in Keras's order."""

    def __init__(self, inputs, layers, loss=None, optimizer=None, dtype=np.float32):
        self.shape = list(inputs) if isinstance(inputs, tuple) else [inputs]
        self.layers, self.loss, self.optimizer, self.weights = [], loss, optimizer, []
        self.tree = self._name_all(layers, 3)
        width = int(np.prod(self.shape))
        for class_name, config in self.layers:
            arrays = []
            if class_name == "Dense":
                arrays.append(("kernel", _draw(width, config["units"])))
                width = config["units"]
                if config.get("use_bias", True):
                    arrays.append(("bias", _draw(width)))
            elif class_name in ("BatchNormalization", "LayerNormalization"):
                if config.get("scale", True):
                    arrays.append(("gamma", _draw(width, low=0.5, high=2.0)))
                if config.get("center", True):
                    arrays.append(("beta", _draw(width)))
                if class_name == "BatchNormalization":
                    arrays += [("moving_mean", _draw(width)),
                               ("moving_variance", _draw(width, low=0.1, high=3.0))]
            elif class_name == "PReLU":
                arrays.append(("alpha", _draw(1 if config.get("shared_axes") else width)))
            elif class_name == "RMSNormalization":
                arrays.append(("scale", _draw(width, low=0.5, high=2.0)))
            elif class_name == "Normalization" and config.get("mean") is None:
                arrays += [("mean", _draw(width)), ("variance", _draw(width, low=0.1, high=3.0)),
                           ("count", np.int64(0))]
            self.weights.append([(n, a.astype(dtype) if n != "count" else a) for n, a in arrays])
        self.width = width

    def _name_all(self, layers, first):
        """Returns for each layer its number, or of a model (class name, name, its layers)."""
        items = []
        for i, (class_name, config) in enumerate(layers):
            config = {"name": f"{class_name.lower()}_{i + first}", **config}
            if "layers" in config:
                items.append((class_name, config["name"], self._name_all(config["layers"], 10 * (i + first))))
            else:
                items.append(len(self.layers))
                self.layers.append((class_name, config))
        return items

    def predict(self, x, keras_2=False):
        x = np.asarray(x, np.float64)
        for (class_name, c), arrays in zip(self.layers, self.weights):
            w = {name: np.asarray(a, np.float64) for name, a in arrays}
            if class_name == "Dense":
                x = _function(c.get("activation"), keras_2)(x @ w["kernel"] + w.get("bias", 0))
            elif class_name == "BatchNormalization":
                x = (x - w["moving_mean"]) / np.sqrt(w["moving_variance"] + c.get("epsilon", EPSILON))
                x = x * w.get("gamma", 1) + w.get("beta", 0)
            elif class_name == "LayerNormalization":
                mean, variance = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
                x = (x - mean) / np.sqrt(variance + c.get("epsilon", EPSILON))
                x = x * w.get("gamma", 1) + w.get("beta", 0)
            elif class_name == "RMSNormalization":
                x = x / np.sqrt((x ** 2).mean(axis=1, keepdims=True) + c.get("epsilon", 1e-6)) * w["scale"]
            elif class_name == "Normalization":
                mean, variance = w.get("mean", c.get("mean")), w.get("variance", c.get("variance"))
                x = (x - np.asarray(mean)) / np.maximum(np.sqrt(np.asarray(variance)), 1e-7)
            elif class_name == "PReLU":
                x = np.where(x >= 0, x, w["alpha"] * x)
            elif class_name == "Rescaling":
                x = x * np.asarray(c["scale"]) + np.asarray(c.get("offset", 0))
            elif class_name == "Activation":
                x = _function(c["activation"], keras_2)(x)
            elif _activation_class(class_name, c) is not None:
                x = _activation_class(class_name, c)(x)
        return x

    # ---- files ----

    def _describe(self, item, keras):
        if isinstance(item, tuple):
            class_name, name, items = item
            return self._describe_model(class_name, name, items, keras)
        class_name, config = self.layers[item]
        return {"class_name": class_name, "config": {"trainable": True, "dtype": "float32", **config}}

    def _describe_model(self, class_name, name, items, keras):
        first = "batch_shape" if keras == 3 else "batch_input_shape"
        listed = [{"class_name": "InputLayer", "config": {first: [None, *self.shape], "name": "in"}}]
        listed += [self._describe(item, keras) for item in items]
        config = {"name": name, "layers": listed}
        if class_name == "Functional":
            names = [layer["config"]["name"] for layer in listed]
            for i, layer in enumerate(listed):
                layer["name"] = names[i]
                layer["inbound_nodes"] = [] if i == 0 else [[[names[i - 1], 0, 0, {}]]]
            config |= {"input_layers": [["in", 0, 0]], "output_layers": [[names[-1], 0, 0]]}
        return {"class_name": class_name, "config": config}

    def config(self, keras, archive, functional=False):
        model = self._describe_model("Functional" if functional else "Sequential", "model", self.tree, keras)
        if archive and self.loss is not None:
            model["compile_config"] = {"loss": self.loss, "optimizer": self.optimizer, "metrics": None}
        return model

    def save_h5(self, path, keras=3, functional=False, version=None):
        with h5py.File(path, "w") as model:
            model.attrs["keras_version"] = version or {1: "1.2.2", 2: "2.10.0", 3: "3.9.0"}[keras]
            config = self.config(keras, False, functional)
            if keras == 1:
                config["config"] = [keras_1(c) for c in config["config"]["layers"][1:]]
                config["config"][0]["config"]["batch_input_shape"] = [None, *self.shape]
            model.attrs["model_config"] = json.dumps(config)
            if self.loss is not None:
                model.attrs["training_config"] = json.dumps({"loss": self.loss,
                                                             "optimizer_config": self.optimizer})
            group = model.create_group("model_weights")
            tops = [item[1] if isinstance(item, tuple) else self.layers[item][1]["name"] for item in self.tree]
            group.attrs["layer_names"] = [name.encode() for name in tops]
            for item, top in zip(self.tree, tops):
                layer, paths = group.require_group(top), []
                for name, n, array in self._arrays_of(item):
                    paths.append(f"{name}_{short(n)}" if keras == 1 else f"{name}/{n}" + ":0" * (keras == 2))
                    layer[paths[-1]] = array
                layer.attrs["weight_names"] = [p.encode() for p in paths]

    def _arrays_of(self, item):
        """Layer, name and array of a layer, or of a model: first of all that train, then of the others."""
        if not isinstance(item, tuple):
            name = self.layers[item][1]["name"]
            return [(name, n, array) for n, array in self.weights[item]]
        found = [[], []]
        for i in leaves(item):
            for name, n, array in self._arrays_of(i):
                rests = not self.layers[i][1].get("trainable", True) or n in AVERAGES
                found[rests].append((name, n, array))
        return found[0] + found[1]

    def _write_layers(self, h5, parent, items, keras):
        root = parent + ("layers" if keras == 3 else "_layer_checkpoint_dependencies")
        counts = {}
        for item in items:
            model = isinstance(item, tuple)
            snake = snake_case(item[0] if model else self.layers[item][0])
            arrays = [] if model else self.weights[item]
            number = counts.get(snake, 0)
            counts[snake] = number + (2 if keras == 2 and arrays else 1)
            path = f"{root}/{snake}" + (f"_{number}" if number else "")
            group = h5.create_group(f"{path}/vars")
            for i, (_, array) in enumerate(arrays):
                group[str(i)] = array
            if model:
                self._write_layers(h5, f"{path}/", item[2], keras)

    def save_keras(self, path, keras=3, functional=False, state=None):
        weights = io.BytesIO()
        with h5py.File(weights, "w") as model:
            self._write_layers(model, "", self.tree, keras)
            for i, array in enumerate(state or []):
                model[f"optimizer/vars/{i}"] = array
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("metadata.json", json.dumps(
                {"keras_version": "3.9.0" if keras == 3 else "2.13.1"}))
            archive.writestr("config.json", json.dumps(self.config(keras, True, functional)))
            archive.writestr("model.weights.h5", weights.getvalue())

    def save(self, path, form, functional=False):
        write = self.save_keras if form.endswith(".keras") else self.save_h5
        write(path, 2 if form.startswith("keras2") else 3, functional)


AVERAGES = "moving_mean", "moving_variance", "mean", "variance", "count"


def leaves(item):
    """The numbers of the layers of a model."""
    return [i for part in item[2] for i in leaves(part)] if isinstance(item, tuple) else [item]


def snake_case(name):
    """As Keras calls a class in its files."""
    return re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)).lower()


def short(name):
    return {"kernel": "W", "bias": "b", "moving_mean": "running_mean",
            "moving_variance": "running_std"}.get(name, name)


def keras_1(layer):
    """The configuration of a layer in the words of Keras 1."""
    names = {"units": "output_dim", "use_bias": "bias", "rate": "p", "stddev": "sigma"}
    config = {names.get(key, key): value for key, value in layer["config"].items() if key != "dtype"}
    return {"class_name": layer["class_name"], "config": config}
