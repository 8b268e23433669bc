"""What every solver takes and returns: options, a function that watches each iteration, and where the search ended."""

from collections.abc import Callable
from dataclasses import dataclass

from matbn.arguments import Array

CONVERGED = "converged"
AT_KINK = "converged at a kink"  # where the smallest subgradient is 0: see `kinks`
NO_DECREASE = "no decrease"
ITERATIONS = "iterations"
PASSES = "passes"
INTERRUPTED = "interrupted"

# What a fit says of each status. Nothing is said of CONVERGED; `fitted.interrupted` has the sentences on interrupts.
SENTENCES = {
    AT_KINK: "the search ended at a local minimum at kinks of {activation}: no direction leads down from there, though"
    " no gradient vanishes; the fit is as good as one that does without kinks, as with softplus",
    NO_DECREASE: "the search ended where no step made the loss smaller, with a gradient of {gradient:.1e}: a larger"
    " penalty makes the minimum sharper",
    ITERATIONS: "the search stopped after {iterations} iterations where the gradient was still {gradient:.1e}: allow"
    " more iterations, or set a larger penalty",
    PASSES: "trained for {iterations} passes through the data, to no minimum in particular; the gradient there is"
    " {gradient:.1e}",
}
NO_DECREASE_NEAR_KINKS = (
    "the search ended near kinks of {activation}, where no step made the loss smaller (gradient {gradient:.1e} on one"
    " side), perhaps at no minimum: more starts may find one; a smooth one, such as softplus, has no kinks"
)

Evaluate = Callable[[Array], tuple[float, Array]]  # the loss and its gradient at θ

# A function that gets the number, loss and θ of each iteration, and returns whether the search is to stop. Iterations
# on a sample of the rows have None as loss.
Watch = Callable[[int, float | None, Array], bool]


@dataclass(frozen=True)
class SearchOptions:
    """How to search."""

    starts: int
    seed: int
    tolerance: float = 1e-6  # of the gradient's largest entry, for standardised outcomes
    iterations: int = 2_000  # at most
    solver: str = "profiled"  # a key of `multistart.SOLVERS`


@dataclass(frozen=True, eq=False)
class Minimum:
    """Where the search ended, and why."""

    theta: Array
    loss: float
    gradient: Array
    iterations: int
    evaluations: int
    status: str  # one of the constants above
    trace: tuple[float, ...] = ()  # the loss after each iteration, in the units of y


def is_minimum(status: str) -> bool:
    """Return whether a search with this status ended at a local minimum."""
    return status in (CONVERGED, AT_KINK)
