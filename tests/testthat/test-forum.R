test_that("the forum's figures come out, and R's generator is left alone", {
  needs_python()
  set.seed(42)
  before <- .Random.seed
  checks <- forum_checks()
  expect_identical(.Random.seed, before)
  expect_length(checks, 7)
  expect_true(all(vapply(checks, function(check) check$agrees, NA)))
  expect_equal(checks$gamma_loop$printed, c(0.8580574, 5.9607870, -11.7678486, -4.6025996))
  expect_equal(checks$gamma_loop$r, checks$gamma_loop$python, tolerance = 1e-12)
  expect_output(print(checks), "Every figure agrees")
  expect_null(forum_checks(seed = 3, N = 12, p1 = 3, p2 = 2)$beta_loop$printed)
  expect_error(forum_checks(p1 = 2), "needs p1 >= p2", class = "matbn_ArgumentError")
})

test_that("claims are a data frame that prints as an account", {
  needs_python()
  judged <- claims()
  expect_s3_class(judged, "data.frame")
  expect_identical(as.vector(table(judged$verdict)[c("right", "right up to 1/N", "wrong")]), c(19L, 2L, 20L))
  expect_true(is.na(judged$difference[judged$id == "Q2"]))
  expect_output(print(judged), "Q8  WRONG")
  expect_identical(class(judged[judged$verdict == "wrong", c("id", "verdict")]), "data.frame")
})
