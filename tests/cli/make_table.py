"""Tables like the bank's, for the tests of prepare, predict and evaluate.

make_table.py TABLE.csv [ROWS [CLASSES [SEED]]] writes one: rows sorted by class, a key that rises from
row to row (so that each row is known again in the sets), numbers that are negative, skewed and
repeated, integer codes, categories of which some are rare, and missing cells.

make_table.py --dialects writes the same small table in several dialects, as dialect-NAME.csv."""

import csv
import sys

import numpy as np

JOBS = ["admin.", "blue-collar", "management", "retired", "self-employed", "services", "technician"]
RARE_JOBS = ["astronaut", "diver", "lamplighter", "zookeeper"]
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
CLASSES = ["no", "yes", "maybe later", "never"]
HEADER = ["key", "age", "job", "balance", "day", "contact", "rate", "month", "campaign", "outcome"]


def make_rows(count=2000, classes=2, seed=1):
    """Returns lists of cells: texts, and numbers as they shall be printed; None where one is missing."""
    rng = np.random.default_rng(seed)
    age = rng.integers(18, 96, count)
    job = rng.choice(JOBS, count, p=[.25, .22, .2, .1, .05, .08, .1])
    rare = rng.choice(count, max(4, count // 100), replace=False)
    job[rare] = rng.choice(RARE_JOBS, len(rare), p=[.4, .3, .2, .1])
    balance = np.sign(rng.normal(0.7, 1, count)) * np.round(np.exp(rng.normal(5, 1.8, count)), 2)
    day = rng.integers(1, 32, count)
    contact = rng.choice(["cellular", "telephone", "unknown"], count, p=[.6, .1, .3])
    rate = rng.normal(-2e-3, 7e-3, count)
    month = rng.choice(MONTHS, count)
    campaign = np.minimum(rng.geometric(0.4, count), 40)
    signal = ((age - 50) / 20 + np.sign(balance) * np.log1p(np.abs(balance)) / 5 + 150 * rate
              + np.where(job == "retired", 1.5, 0) + np.where(contact == "unknown", -1, 0)
              - 0.3 * campaign + rng.normal(0, 0.7, count))
    label = np.searchsorted(np.quantile(signal, np.arange(1, classes) / classes), signal)
    no_rate, no_contact = rng.random(count) < 0.05, rng.random(count) < 0.08
    rows = []
    for i in np.argsort(label, kind="stable"):
        n = len(rows)
        rows.append([f"{1.75 * n - 100:.2f}", str(age[i]), str(job[i]), f"{balance[i]:.2f}",
                     str(day[i]), None if no_contact[i] else str(contact[i]),
                     None if no_rate[i] else f"{rate[i]:.6e}" if i % 3 else f"{rate[i]:+.5f}",
                     str(month[i]), str(campaign[i]), CLASSES[label[i]]])
    return rows


def write_table(path, rows, header=HEADER, missing=("", "NA")):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for n, row in enumerate(rows):
            writer.writerow([missing[n % len(missing)] if cell is None else cell for cell in row])


def write_dialects():
    header = ["x", "né; \"quoted\"", "what, when", "z", "y"]
    rng = np.random.default_rng(7)
    texts = ["plain", "comma, inside", 'doubled "quotes"', "two\nlines", "semi;colon", "tab\tbed",
             "bar|red", "Übung"]
    rows = [[f"{v:.3f}", texts[n % 5 if n % 3 else n % 8], texts[(n * 7) % 8], str(rng.integers(0, 9)),
             "no" if n < 100 else "yes"] for n, v in enumerate(rng.normal(0, 100, 240))]

    def write(name, delimiter=",", quoting=csv.QUOTE_MINIMAL, end="\n", decimal=".", start="",
              last=True):
        with open(f"dialect-{name}.csv", "w", newline="", encoding="utf-8") as file:
            file.write(start)
            writer = csv.writer(file, delimiter=delimiter, quoting=quoting, lineterminator=end)
            # csv's rule for numbers: with QUOTE_NONNUMERIC they are not quoted, as UCI has it
            number = (lambda t: Number(t.replace(".", decimal)))
            writer.writerow(header)
            for row in rows:
                writer.writerow([number(row[0]), row[1], row[2], number(row[3]), row[4]])
        if not last:
            with open(f"dialect-{name}.csv", "rb+") as file:
                file.seek(-len(end), 2)
                file.truncate()

    write("plain")
    write("quoted", quoting=csv.QUOTE_ALL)
    write("uci", delimiter=";", quoting=csv.QUOTE_NONNUMERIC)
    write("semicolon-crlf", delimiter=";", end="\r\n")
    write("tab", delimiter="\t")
    write("bar", delimiter="|")
    write("crlf", end="\r\n")
    write("bom", start="\ufeff")
    write("bom-quoted-crlf", start="\ufeff", quoting=csv.QUOTE_ALL, end="\r\n")
    write("decimal-comma", delimiter=";", decimal=",")
    write("decimal-comma-tab", delimiter="\t", decimal=",", end="\r\n", start="\ufeff")
    write("decimal-comma-quoted", decimal=",")
    write("no-last-newline", last=False)
    write("no-last-crlf", last=False, end="\r\n")


class Number(float):
    """A number for csv, which does not quote it, printed as it was written."""

    def __new__(cls, text):
        self = super().__new__(cls, text.replace(",", "."))
        self.text = text
        return self

    def __str__(self):
        return self.text

    __repr__ = __str__


if __name__ == "__main__":
    if sys.argv[1] == "--dialects":
        write_dialects()
    else:
        write_table(sys.argv[1], make_rows(*map(int, sys.argv[2:])))
