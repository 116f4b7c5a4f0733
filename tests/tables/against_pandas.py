"""Is what `dtrain prepare` wrote, and what a model then predicts, what pandas reads in the same table?

Nothing here knows a table: the expectation is pandas' types, missing cells and values. What dtrain does otherwise
by its documentation is allowed only as far as its output says so: a column is dropped for a reason that is checked,
a text is a number or a date because a warning shows it.
"""

import itertools
import json
import os
import re

import numpy as np
import pandas as pd

SETS = ("train", "validation", "test")
PARTS = ("month", "weekday", "hour")
FILL = "indicator,category"
SCALED_ATOL = 2e-6


class Wrong(Exception):
    pass


def check(holds, what):
    if not holds:
        raise Wrong(what)


class Table:
    """A file as pandas reads it: with its types, and as text."""

    def __init__(self, path):
        for encoding, separator in itertools.product(("utf-8", "cp1252"), (",", ";", "\t", r"\s+")):
            options = {"encoding": encoding, "sep": separator}
            try:
                self.values = pd.read_csv(path, float_precision="round_trip", na_values=["None"], low_memory=False,
                                          **options)
            except UnicodeDecodeError:
                continue
            if len(self.values.columns) > 1:
                break
        with open(path, encoding=options["encoding"]) as file:
            is_quoted = file.readline().startswith('"') # R quotes names, not numbers
        self.headerless = not is_quoted and all(re.fullmatch(r"[-+]?[\d.]+(e[-+]?\d+)?", name) for name in self.values)
        if self.headerless:
            options.update(header=None)
        self.values = pd.read_csv(path, float_precision="round_trip", na_values=["None"], low_memory=False, **options)
        self.texts = pd.read_csv(path, dtype=str, keep_default_na=False, **options)
        if not isinstance(self.values.index, pd.RangeIndex): # the header is one cell short
            self.values, self.texts = (frame.reset_index() for frame in (self.values, self.texts))
        if self.headerless:
            self.values.columns = self.texts.columns = [f"column {i + 1}" for i in range(self.values.shape[1])]
        self.names = list(self.values.columns)
        self.missing = self.values.isna() | self.texts.apply(lambda column: column.str.strip() == "")

    def target(self):
        """Returns the last column that can be one: a few classes of some rows each, or else numbers that differ."""
        whole = self.values.loc[:, ~self.missing.any()]
        for name in reversed(whole.columns):
            counts = whole[name].value_counts()
            if 2 <= len(counts) <= 20 and counts.min() >= 5:
                return name
        for name in reversed(whole.columns):
            if pd.api.types.is_float_dtype(whole[name]) and whole[name].nunique() > 2:
                return name
        return self.names[-1]

    def is_number(self, name):
        kind = self.values[name]
        return pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind)

    def numbers(self, name, rows, written):
        """Returns the numbers of some rows, also if pandas reads texts; nan: the cell is missing."""
        if self.is_number(name):
            return self.values[name].iloc[rows].to_numpy(dtype=float)
        return np.array([np.nan if is_missing else number_of(text, written) for text, is_missing
                         in zip(self.texts[name].iloc[rows], self.missing[name].iloc[rows])])

    def column(self, name):
        """Returns pandas' name of a column of dtrain's."""
        if name in self.values:
            return name
        trimmed = [n for n in self.names if n.strip() == name]
        if trimmed:
            return trimmed[0]
        nameless = [n for n in self.names if re.match(r"Unnamed: \d|index$", n)]
        check(name in ("", "column 1") and nameless, f"pandas does not know the column '{name}'")
        return nameless[0]


class Prepared:
    """What `dtrain prepare` wrote into a folder."""

    def __init__(self, folder):
        with open(os.path.join(folder, "recipe.json"), encoding="utf-8") as file:
            self.recipe = json.load(file)
        sets = {name: np.load(os.path.join(folder, name + ".npz")) for name in SETS
                if os.path.exists(os.path.join(folder, name + ".npz"))}
        self.sizes = {name: len(arrays["row"]) for name, arrays in sets.items()}
        self.rows = np.concatenate([arrays["row"] for arrays in sets.values()]) - 1
        self.inputs = np.concatenate([arrays["inputs"] for arrays in sets.values()])
        self.targets = np.concatenate([arrays["targets"] for arrays in sets.values()])
        self.training = np.arange(len(self.rows)) < self.sizes["train"]


# ---- values that are written in another way than pandas reads ----

def number_of(text, written):
    """'$1,234.5' -> 1234.5, '12 %' -> 12, '7-' -> -7; nan: no such number. `written` is the recipe's column."""
    if written.get("decimal") == ",":
        text = text.replace(".", "").replace(",", ".")
    plain = re.sub(r"[\s$€£%,]", "", text).replace("\u2212", "-")
    plain = re.sub(r"^\((.*)\)$|^([\d.]+)-$", r"-\1\2", plain)
    plain = re.sub(r"[A-Za-z]+$", "", plain)
    try:
        return float(plain)
    except ValueError:
        return np.nan


def date_of(text, order):
    quarter = re.fullmatch(r"(\d{4})[ -]?Q([1-4])", text)
    if quarter:
        text = f"{quarter[1]}-{3 * int(quarter[2]) - 2:02}-01"
    if order == "my":
        return pd.to_datetime(re.sub(r"\W+", "-", text), format="%b-%y" if re.search(r"\D\d\d$", text) else None, utc=True)
    return pd.to_datetime(text, dayfirst=order == "dmy", utc=True)


def days_of(texts, order):
    """Days since 1970, and the shares of the year, the week and the day that are over."""
    if order == "time":
        at = pd.to_timedelta([t if t.count(":") == 2 else t + ":00" for t in texts]) + pd.Timestamp(0)
    else:
        at = pd.DatetimeIndex([date_of(text, order) for text in texts]).tz_localize(None)
    days = (at - pd.Timestamp(0)) / pd.Timedelta(days=1)
    time = days % 1
    return np.asarray(days), {"month": (at.month - 1 + (at.day - 1 + time) / at.days_in_month) / 12,
                              "weekday": (at.weekday + time) / 7, "hour": time}


# ---- columns ----

def scaled(column, values, training):
    """The column's numbers by its recipe, whose center and spread must be those of pandas' numbers."""
    center, spread = values[training].mean(), values[training].std()
    size = max(abs(values).max(), 1e-300)
    if spread < 1e-12 * size:
        spread = 1
    check(np.isclose(column["center"], center, rtol=1e-9, atol=1e-9 * size) and
          np.isclose(column["spread"], spread, rtol=1e-6),
          f"column '{column['name']}': mean {center}, deviation {spread} of pandas' training rows; "
          f"the recipe has {column['center']}, {column['spread']}")
    return (values - column["center"]) / column["spread"]


def number_inputs(column, values, missing, training, parts=None):
    fill, blocks = column["fill"], []
    present = training & ~missing
    if missing.any():
        check(np.isclose(column["fill_number"], values[present].mean(), rtol=1e-9, atol=1e-12),
              f"column '{column['name']}': missing cells are {column['fill_number']}, the mean is {values[present].mean()}")
        check((fill == "indicator") == missing[training].any(), f"column '{column['name']}': fill {fill}")
        values = np.where(missing, column["fill_number"], values)
    blocks.append(scaled(column, values, training))
    for part in PARTS:
        if part in column.get("parts", ()):
            share = np.where(missing, np.nan, np.asarray(parts[part]))
            blocks += [np.nan_to_num(f(2 * np.pi * share)) for f in (np.sin, np.cos)]
    if fill == "indicator":
        blocks.append(missing.astype(float))
    return np.stack(blocks, axis=1)


def as_kept(texts, kept):
    """Blanks around a cell belong to it only if it stands in quotes, which pandas does not tell."""
    plain = texts.str.strip()
    return texts.where(texts.isin(kept), plain).to_numpy()


def plain(text):
    return " ".join(text.casefold().split())


def category_inputs(column, texts, missing, training):
    known, name = column["categories"], column["name"]
    there = set(texts[training & ~missing])
    check(column["rare"] or set(known) == there,
          f"column '{name}': categories {sorted(set(known) ^ there)[:4]} are only in one of dtrain's and pandas'")
    width = len(known) + column["rare"] + (column["fill"] == "category")
    inputs = np.zeros((len(texts), width))
    places = pd.Index(known).get_indexer(texts)
    alike = {}
    for i, text in enumerate(known):
        alike[plain(text)] = -1 if plain(text) in alike else i # of two it may be either
    for row in np.flatnonzero((places < 0) & ~missing): # another spelling of one that is known
        places[row] = alike.get(plain(texts[row]), -1)
    if column["rare"]:
        places[places < 0] = len(known)
    if missing.any():
        check(column["fill"] in ("category", "mode"), f"column '{name}': fill {column['fill']}")
        places[missing] = width - 1 if column["fill"] == "category" else known.index(column["fill_text"])
    seen = places >= 0
    inputs[np.flatnonzero(seen), places[seen]] = 1
    return inputs


def check_dropped(table, name, prepared, said):
    """A column is left out for a reason that its values bear out, and that is said."""
    values = table.values[name].dropna()
    line = next((s for s in said if re.match(rf"(\(column \d+\)|{re.escape(name)}|{re.escape(prepared['name'])}) *dropped ", s)), None)
    check(line is not None, f"column '{name}' is dropped, and nothing says so")
    if values.nunique() <= 1:
        return "constant"
    if pd.api.types.is_numeric_dtype(values):
        check((np.diff(values.to_numpy(dtype=float)) == 1).all(), f"the numbers of column '{name}' are dropped: {line}")
        return "counter"
    check(values.nunique() > 0.5 * len(values) or values.nunique() > 1000, f"column '{name}' is dropped: {line}")
    return "text"


def column_inputs(table, column, prepared, notes):
    """Returns what the inputs of one column must be."""
    name, role = table.column(column["name"]), column["role"]
    texts, missing = (frame[name].iloc[prepared.rows] for frame in (table.texts, table.missing))
    missing = missing.to_numpy()
    if role == "categorical":
        check(not table.is_number(name), f"column '{name}': numbers in pandas, categories in dtrain")
        texts = as_kept(texts, column["categories"])
        return category_inputs(column, texts, missing, prepared.training)
    if role == "numeric":
        if not table.is_number(name):
            notes.append(f"'{name}' ({texts[~missing].iloc[0]}) is a number")
        return number_inputs(column, table.numbers(name, prepared.rows, column), missing, prepared.training)
    check(role == "date", f"column '{name}' has the role {role}")
    notes.append(f"'{name}' ({texts[~missing].iloc[0]}) is a date")
    first = texts[~missing].iloc[0]
    days, parts = days_of([first if m else t for t, m in zip(texts, missing)], column["order"])
    return number_inputs(column, days, missing, prepared.training, parts)


def check_target(table, name, prepared):
    texts, targets = table.texts[name].iloc[prepared.rows], prepared.targets
    classes = prepared.recipe["target"].get("classes")
    if classes is None:
        check(np.array_equal(np.ravel(targets), table.numbers(name, prepared.rows, {})),
              f"the targets of '{name}' are other numbers than pandas'")
        return "values"
    texts = as_kept(texts, classes)
    check(sorted(classes) == sorted(set(texts)),
          f"the classes {sorted(set(classes) ^ set(texts))[:4]} are only in one of dtrain's and pandas'")
    check(np.array_equal(np.array(classes, dtype=object)[targets], texts), "the classes of rows differ")
    return f"{len(classes)} classes"


def compare_sets(table, target, folder, said):
    """Compares all that `dtrain prepare` wrote with the table. Returns (kind of target, what is noteworthy)."""
    prepared, notes = Prepared(folder), []
    summary = dict(line[len("summary."):].split("=", 1) for line in said if line.startswith("summary."))
    check(np.array_equal(np.sort(prepared.rows), np.arange(len(table.values))),
          f"pandas has {len(table.values)} rows, the sets have {len(prepared.rows)}")
    check([summary[f"{name}_rows"] for name in SETS] == [str(prepared.sizes.get(name, 0)) for name in SETS] and
          summary["rows"] == str(len(table.values)) and summary["dropped_rows"] == "0", "the rows of the summary")
    columns = prepared.recipe["columns"]
    check([table.column(c["name"]) for c in columns] == table.names,
          f"pandas has the columns {table.names[:4]}, the recipe {[c['name'] for c in columns][:4]}")
    blocks = {"number": [], "category": []}
    for column in columns:
        if column["role"] == "dropped":
            notes.append(f"{check_dropped(table, table.column(column['name']), column, said)} dropped")
        elif column["role"] != "target":
            kind = "category" if column["role"] == "categorical" else "number"
            blocks[kind].append((column["name"], column_inputs(table, column, prepared, notes)))
    ordered = blocks["number"] + blocks["category"]
    expected = np.hstack([inputs for _, inputs in ordered])
    check(expected.shape == prepared.inputs.shape,
          f"inputs of shape {expected.shape} are expected, found {prepared.inputs.shape}")
    owner = [name for name, inputs in ordered for _ in range(inputs.shape[1])]
    apart = np.abs(expected - prepared.inputs) / np.maximum(1, np.abs(expected))
    if not apart.max() <= SCALED_ATOL:
        row, at = np.unravel_index(np.argmax(apart), apart.shape)
        text = table.texts[table.column(owner[at])].iloc[prepared.rows[row]]
        raise Wrong(f"row {prepared.rows[row] + 1}, column '{owner[at]}', cell '{text}': "
                    f"{expected[row, at]} is expected, found {prepared.inputs[row, at]}")
    return check_target(table, target, prepared), notes


def compare_predictions(table, target, file, classes, evaluated):
    """Compares the file of `dtrain predict` with the table, and with what `dtrain evaluate` reported."""
    found = pd.read_csv(file, dtype={"class": str}, keep_default_na=False)
    check(np.array_equal(found["row"], np.arange(1, len(table.values) + 1)), "the rows of the predictions")
    truth = table.texts[target]
    if classes:
        shares = found.iloc[:, 2:].to_numpy()
        check(np.allclose(shares.sum(axis=1), 1, atol=1e-5), "probabilities add up to 1")
        check(set("p_" + found["class"]) <= set(found.columns[2:]), "predicted classes are classes of the model")
        expected = np.mean(found["class"].to_numpy() == as_kept(truth, set(found.columns[2:].str[2:])))
        name = "accuracy"
    else:
        expected = np.sqrt(np.mean((found.iloc[:, 1].to_numpy() - table.numbers(target, slice(None), {})) ** 2))
        name = "rmse"
    check(np.isclose(evaluated, expected, rtol=1e-4), f"{name} {evaluated} of evaluate, {expected} by the predictions")
