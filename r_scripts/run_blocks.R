# Runs the R blocks of Markdown files, each file in one session, and compares their output with the lines that begin
# with #> after each expression: words must be equal, and numbers nearly so; a line #> ... stands for any lines. With
# --write it puts the outputs into the files.
#
#   Rscript r_scripts/run_blocks.R [--write] FILE.md ...
#
# Blocks of ```r no-run are left out.

blocks_of <- function(lines) {
  open <- grep("^```r$", lines)
  lapply(open, function(start) c(start, start + which(lines[-seq_len(start)] == "```")[1L]))
}

# What an expression prints at the prompt; plots are discarded.
printed <- function(expression, env) {
  utils::capture.output({
    shown <- withVisible(eval(expression, env))
    if (shown$visible) print(shown$value)
  })
}

# The expressions of a block: their code, what they print, and what is expected.
evaluated <- function(lines, env) {
  output <- startsWith(lines, "#>")
  code <- which(!output)
  expressions <- parse(text = lines[code], keep.source = TRUE)
  ends <- code[vapply(attr(expressions, "srcref"), function(ref) as.integer(ref)[3L], 0L)]
  Map(function(expression, end, following) {
    after <- lines[seq_along(lines) > end & seq_along(lines) < following]
    expected <- trimws(sub("^#> ?", "", after[startsWith(after, "#>")]), "right")
    list(end = end, expected = expected, printed = trimws(printed(expression, env), "right"))
  }, as.list(expressions), ends, c(ends[-1L], length(lines) + 1L))
}

# Lines agree word by word, with a line ... for any number of them.
agree <- function(expected, printed) {
  if (!length(expected)) return(!length(printed))
  if (expected[1L] == "...") {
    return(any(vapply(0:length(printed), function(k) agree(expected[-1L], printed[seq_along(printed) > k]), NA)))
  }
  length(printed) && same_words(expected[1L], printed[1L]) && agree(expected[-1L], printed[-1L])
}

same_words <- function(a, b) {
  a <- words(a)
  b <- words(b)
  length(a) == length(b) && all(mapply(same_word, a, b))
}

words <- function(line) strsplit(trimws(line), "[[:space:]]+")[[1L]]

# Numbers with decimals may differ by one in their last place, all by a ten-thousandth: rounding decides where searches end.
same_word <- function(a, b) {
  if (identical(a, b)) return(TRUE)
  x <- number_in(a)
  y <- number_in(b)
  if (is.na(x) || is.na(y)) return(FALSE)
  places <- if (grepl(".", paste0(a, b), fixed = TRUE)) max(last_place(a), last_place(b)) else 0
  abs(x - y) <= max(1e-4 * max(abs(x), abs(y)), 1.01 * places)
}

number_in <- function(word) suppressWarnings(as.numeric(gsub("[(),;]", "", word)))

last_place <- function(word) {
  parts <- strsplit(gsub("[(),;]", "", word), "e")[[1L]]
  decimals <- if (grepl(".", parts[1L], fixed = TRUE)) nchar(sub("^[^.]*[.]", "", parts[1L])) else 0L
  10^((if (length(parts) > 1L) as.numeric(parts[2L]) else 0) - decimals)
}

check_file <- function(path, write) {
  lines <- readLines(path, encoding = "UTF-8")
  env <- new.env(parent = globalenv())
  wrong <- 0L
  made <- lines
  replaced <- list()
  for (block in blocks_of(lines)) {
    inner <- lines[seq(block[1L] + 1L, length.out = block[2L] - block[1L] - 1L)]
    results <- tryCatch(evaluated(inner, env), error = function(e) {
      cat(path, ":", block[1L], ": ", conditionMessage(e), "\n", sep = "")
      NULL
    })
    if (is.null(results)) {
      wrong <- wrong + 1L
      next
    }
    for (result in results) {
      if (write || agree(result$expected, result$printed)) next
      wrong <- wrong + 1L
      cat(path, ":", block[1L] + result$end, ": expected\n", paste0("  ", result$expected, "\n"), " but found\n", sep = "")
      cat(paste0("  ", result$printed, "\n"), sep = "")
    }
    replaced[[length(replaced) + 1L]] <- list(block = block, inner = with_outputs(inner, results))
  }
  if (write && !wrong) {
    for (change in rev(replaced)) {
      made <- c(made[seq_len(change$block[1L])], change$inner, made[seq(change$block[2L], length(made))])
    }
    writeLines(made, path, useBytes = TRUE)
  }
  wrong
}

with_outputs <- function(lines, results) {
  ends <- vapply(results, `[[`, 0L, "end")
  out <- character()
  for (k in seq_along(lines)) {
    if (startsWith(lines[k], "#>")) next
    out <- c(out, lines[k])
    here <- match(k, ends)
    if (is.na(here)) next
    result <- results[[here]]
    keep <- length(result$expected) && agree(result$expected, result$printed)
    shown <- if (keep) result$expected else result$printed
    if (length(shown)) out <- c(out, trimws(paste("#>", shown), "right"))
  }
  out
}

main <- function(arguments) {
  grDevices::pdf(NULL)
  options(width = 110, digits = 7, prompt = "> ")
  write <- "--write" %in% arguments
  wrong <- vapply(setdiff(arguments, "--write"), check_file, 0L, write)
  quit(status = as.integer(any(wrong > 0L)))
}

main(commandArgs(trailingOnly = TRUE))
