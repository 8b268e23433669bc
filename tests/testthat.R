library(testthat)
library(matbn)

test_check("matbn")
