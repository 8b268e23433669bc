test_that("vec and unvec are R's own column order", {
  needs_python()
  A <- matrix(rnorm(12), 3)
  expect_identical(vec(A), as.vector(A))
  expect_identical(unvec(vec(A), 3, 4), A)
  expect_error(unvec(1:5, 2, 3), "v has 5 entries, but 6 are needed", class = "matbn_ShapeError")
})

test_that("the commutation matrix transposes", {
  needs_python()
  A <- matrix(rnorm(12), 3)
  expect_identical(drop(commutation(3, 4) %*% as.vector(A)), as.vector(t(A)))
  skip_if_not_installed("matrixcalc")
  expect_equal(commutation(3, 4), matrixcalc::commutation.matrix(3, 4))
  expect_equal(vec(A), drop(matrixcalc::vec(A)))
})
