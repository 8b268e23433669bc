"""Exact matrix derivatives of batch-normalised one-hidden-layer regression nets."""

from matbn.activation import ACTIVATIONS, Activation
from matbn.batchnorm import BatchNormCache, BatchNormGradient, BatchNormOutput, bn_backward, bn_forward, bn_jacobian
from matbn.calculus import (
    commutation,
    commutation_order,
    diagonal_selection,
    hadamard_differential,
    kronecker_apply,
    kronecker_differential_A,
    kronecker_differential_B,
    unvec,
    vec,
)
from matbn.derivative_check import GradientCheck, check_gradient
from matbn.errors import (
    ArgumentError,
    CollinearityWarning,
    ConvergenceWarning,
    ElementTypeError,
    InferenceError,
    MatbnError,
    MemoryLimitError,
    NotFiniteError,
    PrecisionWarning,
    ShapeError,
    VarianceError,
)
from matbn.gradient import net_gradient
from matbn.inference.anova import Anova, anova
from matbn.jacobian import net_hessian_product, net_jacobian
from matbn.model.design import NetTerm, net
from matbn.network import NetForward, fold, net_forward, net_loss
from matbn.parameters import NetGradient, Parameters
from matbn.regression.api import fit
from matbn.regression.fit import Fit
from matbn.running import RunningStatistics, TrainingOutput, bn_infer, bn_train, running_start, running_update
from matbn.search.progress import Progress
from matbn.stream.prepared import Prepared, prepare
from matbn.stream.visits import CrossProducts

__version__ = "0.1.0"

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "Anova",
    "ArgumentError",
    "BatchNormCache",
    "BatchNormGradient",
    "BatchNormOutput",
    "CollinearityWarning",
    "ConvergenceWarning",
    "CrossProducts",
    "ElementTypeError",
    "Fit",
    "GradientCheck",
    "InferenceError",
    "MatbnError",
    "MemoryLimitError",
    "NetForward",
    "NetGradient",
    "NetTerm",
    "NotFiniteError",
    "Parameters",
    "PrecisionWarning",
    "Prepared",
    "Progress",
    "RunningStatistics",
    "ShapeError",
    "TrainingOutput",
    "VarianceError",
    "anova",
    "bn_backward",
    "bn_forward",
    "bn_infer",
    "bn_jacobian",
    "bn_train",
    "check_gradient",
    "commutation",
    "commutation_order",
    "diagonal_selection",
    "fit",
    "fold",
    "hadamard_differential",
    "kronecker_apply",
    "kronecker_differential_A",
    "kronecker_differential_B",
    "net",
    "net_forward",
    "net_gradient",
    "net_hessian_product",
    "net_jacobian",
    "net_loss",
    "prepare",
    "running_start",
    "running_update",
    "unvec",
    "vec",
]
