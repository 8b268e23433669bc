"""NIST's Statistical Reference Datasets for linear regression (public domain), with their certified values."""

import csv
from pathlib import Path

FOLDER = Path(__file__).parent / "fixtures" / "strd"
DEGREES = {"Norris": 1, "Pontius": 2, "Filip": 10, **{f"Wampler{k}": 5 for k in range(1, 6)}}
WITHOUT_INTERCEPT = ("NoInt1", "NoInt2")


def certified():
    """Return for each set its certified values as text, by name: coefficients b0…, their errors se0…, and so on."""
    found = {}
    with (FOLDER / "certified.csv").open() as file:
        for row in csv.DictReader(file):
            found.setdefault(row["set"], {})[row["quantity"]] = row["value"]
    return found


def columns(name):
    """Return a set's columns as text."""
    with (FOLDER / f"{name}.csv").open() as file:
        rows = list(csv.DictReader(file))
    return {column: [row[column] for row in rows] for column in rows[0]}


def right_side(name, data, power="x**{}"):
    """Return the model's right side in a formula's words."""
    if name in WITHOUT_INTERCEPT:
        return "0 + x"
    if name in DEGREES:
        return " + ".join(["x", *(f"I({power.format(k)})" for k in range(2, DEGREES[name] + 1))])
    return " + ".join(column for column in data if column != "y")


def matrix(name, data, number):
    """Return the model's columns as rows of numbers, of any kind."""
    if name in WITHOUT_INTERCEPT:
        return [[number(x)] for x in data["x"]]
    if name in DEGREES:
        return [[number(x) ** k for k in range(DEGREES[name] + 1)] for x in data["x"]]
    rows = zip(*(data[column] for column in data if column != "y"), strict=True)
    return [[number(1), *map(number, row)] for row in rows]
