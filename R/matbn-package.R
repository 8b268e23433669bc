#' matbn: exact matrix derivatives of batch-normalised regression nets
#'
#' Start with [net_gradient()], [bn_forward()] and [check_gradient()]; [forum_checks()] and [claims()] answer the forum
#' question that the package is about. Errors are conditions of class `matbn_error`, with a class for the kind before it,
#' such as `matbn_ShapeError`. The computation is done in Python, which starts at the first call: see [matbn_config()]
#' and [matbn_install()].
#'
#' @keywords internal
#' @name matbn-package
#' @docType package
NULL
