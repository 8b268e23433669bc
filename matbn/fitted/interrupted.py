"""The status and the messages of a fit that an interrupt has cut short."""

from dataclasses import dataclass, replace

from matbn.fitted.fitted_model import FittedModel
from matbn.search.minimum import INTERRUPTED

METHODS = {"cv": "cross-validation", "gcv": "generalised cross-validation"}


@dataclass(frozen=True)
class Stage:
    """How far a fit had come when it was interrupted."""

    starts: int  # number of searches under the penalty of that moment
    ended: int  # how many of them had ended
    method: str | None = None  # how the penalty was to be chosen, a key of `METHODS`; None if the user gave it
    chosen: bool = False  # whether it had been chosen


def mark_interrupted(fit: FittedModel, stage: Stage) -> FittedModel:
    """Return the fit marked as interrupted: in the status of its first search, and in messages before all others."""
    best = fit.searches[0]
    starts = f"{stage.ended} of {stage.starts} starts had ended"
    so_far = f"this is the best fit by then, where the gradient was {best.gradient:.1e}: fit again to go on to the end"
    if stage.method is None or stage.chosen:
        sentences = [f"the fit was interrupted when {starts}, and {so_far}"]
    else:
        sentences = [
            f"the fit was interrupted before its penalty was chosen by {METHODS[stage.method]}, when {starts} roughly"
            f" under the penalty with which the choice begins ({fit.penalty:.3g}), and {so_far}"
        ]
    if stage.chosen and stage.method is not None:
        sentences.append(f"the penalty ({fit.penalty:.3g}) had been chosen by {METHODS[stage.method]} before that")
    if fit.edf is None:
        sentences.append(
            "the effective degrees of freedom were not computed: the rank of the linear part and the effects stands in"
            " their place"
        )
    searches = (replace(best, status=INTERRUPTED), *fit.searches[1:])
    return replace(fit, searches=searches, messages=(*sentences, *fit.messages))
