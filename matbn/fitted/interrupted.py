"""What is said of a fit that an interrupt has cut short."""

from dataclasses import dataclass, replace

from matbn.fitted.fitted_model import FittedModel
from matbn.search.minimum import INTERRUPTED

METHODS = {"cv": "cross-validation", "gcv": "generalised cross-validation"}


@dataclass(frozen=True)
class Stage:
    """How far a fit had come."""

    starts: int  # of the searches that were under way
    ended: int  # of them
    method: str | None = None  # by which the penalty was to be chosen
    chosen: bool = False  # whether it was


def mark_interrupted(fit: FittedModel, stage: Stage) -> FittedModel:
    """Return the fit as one that was interrupted: by its first search's status, and in words before all others."""
    best = fit.searches[0]
    starts = f"{stage.ended} of {stage.starts} starts had ended"
    so_far = f"this is the best fit by then, where the gradient was {best.gradient:.1e}: fit again to go on to the end"
    if stage.method is None or stage.chosen:
        said = [f"the fit was interrupted when {starts}, and {so_far}"]
    else:
        said = [
            f"the fit was interrupted before its penalty was chosen by {METHODS[stage.method]}, when {starts} roughly"
            f" under the penalty with which the choice begins ({fit.penalty:.3g}), and {so_far}"
        ]
    if stage.chosen and stage.method is not None:
        said.append(f"the penalty ({fit.penalty:.3g}) had been chosen by {METHODS[stage.method]} before that")
    if fit.edf is None:
        said.append(
            "the effective degrees of freedom were not computed: the rank of the linear part and the effects stands in"
            " their place"
        )
    searches = (replace(best, status=INTERRUPTED), *fit.searches[1:])
    return replace(fit, searches=searches, messages=(*said, *fit.messages))
