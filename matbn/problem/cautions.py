"""What the user should know about the data of a problem, whatever the search for its solution finds."""

import numpy as np

from matbn.arguments import Array
from matbn.errors import CollinearityWarning, PrecisionWarning
from matbn.model.design import Design
from matbn.problem.posing import Posed
from matbn.problem.scaling import total_norm

_ENOUGH, _FEW = 6, 3  # fewer than 6 digits are noted, and fewer than 3 warned of
_IN_USE = 1 / 8  # share of numbers with a last bit of 1, from which on rounding may have cost digits

Caution = tuple[str, type[Warning] | None]  # a sentence, and the category of the warning if it is also a warning


def cautions(design: Design, posed: Posed) -> list[Caution]:
    """Return the messages about the data, which do not depend on the search."""
    notes: list[Caution] = []
    near = set(posed.linear.near.tolist())
    dropped = set(range(len(design.linear_names))) - set(posed.linear.kept.tolist())
    for columns, nearly, category in ((dropped - near, "", None), (near, "nearly ", CollinearityWarning)):
        if columns:
            names = ", ".join(design.linear_names[k] for k in sorted(columns))
            before = "the columns before it" + (" or the effects" if design.effects else "")
            keep = ": less than tol of it is independent of them; a smaller tol keeps it" if nearly else ""
            notes.append((f"{names}: dropped from the linear part, for it {nearly}depends on {before}{keep}", category))
    for part in posed.parts:
        if part.inputs.faint:
            notes.append(
                (
                    f"{design.terms[part.term].label}: its inputs nearly depend on each other; {part.inputs.faint} of"
                    " their directions vary so little that no weight goes there",
                    CollinearityWarning,
                )
            )
    return notes + _lost_digits(design, posed)


def _lost_digits(design: Design, posed: Posed) -> list[Caution]:
    """Return cautions about data whose variation is so small, relative to their size, that rounding may dominate it."""
    has_weight = np.ones(len(design.y), bool) if design.w is None else design.w > 0
    notes: list[Caution] = []
    kept = posed.linear.kept[int(design.intercept) :]
    own = 1 / np.linalg.norm(posed.linear.inverse, axis=1)[int(design.intercept) :] / np.sqrt(posed.problem.weight)
    sizes = np.ldexp(own, posed.exponents[kept])
    few = {k: _digits(design.linear[has_weight, k], float(size)) for k, size in zip(kept, sizes, strict=True)}
    few = {k: digits for k, digits in few.items() if digits < _ENOUGH}
    if few:
        names, least = ", ".join(design.linear_names[k] for k in few), min(few.values())
        notes.append(
            (
                f"{names}: float64 keeps about {least} digit(s) of what intercept, effects and the other columns leave;"
                " subtract offsets before the data are stored, or leave out columns that nearly depend on others",
                PrecisionWarning if least < _FEW else None,
            )
        )
    about_mean = total_norm(design) / np.sqrt(posed.problem.weight * design.weight_unit)
    size = about_mean if posed.exact else posed.scale
    digits = _digits(design.y[has_weight], size)
    if digits < _ENOUGH:
        steps = np.spacing(np.abs(design.y[has_weight]).max())
        notes.append(
            (
                f"y is stored in steps of up to {steps:.2g}, as float64 holds numbers of its size, which keeps about"
                f" {digits} digit(s) of what intercept, effects and columns leave of it ({size:.2g}); subtract its"
                " offset before it is stored",
                PrecisionWarning if digits < _FEW else None,
            )
        )
    return notes


def _digits(values: Array, size: float) -> int:
    """Return about how many digits float64 keeps of the variation of values, which has the given size."""
    harmless = 2 * 10.0**-_ENOUGH * size
    if size == 0 or np.spacing(np.abs(values).max()) < harmless:
        return _ENOUGH
    values = np.abs(values[values != 0])
    steps = np.spacing(values)
    step = float(np.median(steps))
    in_use = np.mod(values / steps, 2) == 1  # whole numbers lose nothing, for example, if the steps are fractions
    if step < harmless or in_use.sum() <= _IN_USE * len(values):
        return _ENOUGH
    return max(0, int(-np.log10(step / size / 2)))
