# Loading declares what is needed and never starts or probes Python: the first call does.
.onLoad <- function(libname, pkgname) {
  if ("py_require" %in% getNamespaceExports("reticulate") && is.null(getOption("matbn.bridge"))) {
    # Named at run time, for reticulate has it from 1.41 on only.
    getExportedValue("reticulate", "py_require")(python_packages(), python_version = ">=3.11")
  }
}

# The Python packages that matbn needs, rpy2-rinterface in the version that this R takes.
python_packages <- function(r = getRversion()) {
  rinterface <- if (r < "4.5") "rpy2-rinterface>=3.6.4,<3.6.6" else "rpy2-rinterface>=3.6.7"
  c("numpy>=1.26", "scipy>=1.12", "threadpoolctl>=3.5", rinterface)
}
