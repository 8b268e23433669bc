# Writes vignettes/from-r.Rmd from docs/from-r.md: blocks are run again when the vignette is built, and draw their plots.
#
#   Rscript r_scripts/make_vignette.R [--print]

header <- c(
  "---", "title: \"A data analysis from R\"", "output: rmarkdown::html_vignette", "vignette: >",
  "  %\\VignetteIndexEntry{A data analysis from R}", "  %\\VignetteEngine{knitr::rmarkdown}", "  %\\VignetteEncoding{UTF-8}",
  "---", "", "```{r, include = FALSE}",
  "# Without a Python that has what matbn needs, the code is shown but not run.",
  "ready <- tryCatch(is.numeric(matbn::vec(diag(2))), error = function(e) FALSE)",
  "knitr::opts_chunk$set(eval = ready, comment = \"#>\", fig.width = 7, fig.height = 4, dpi = 60)",
  "options(width = 90)", "```", ""
)

make_vignette <- function(page) {
  lines <- readLines(page, encoding = "UTF-8")
  lines <- lines[!startsWith(lines, "#>") & !startsWith(lines, "# ") & !startsWith(lines, "![")]
  lines <- sub("^```r$", "```{r}", lines)
  lines <- gsub("\\]\\(([a-z-]+)\\.md[^)]*\\)", "]", lines)
  twice <- lines == "" & c("", lines[-length(lines)]) == ""
  c(header, lines[!twice])
}

root <- dirname(dirname(normalizePath(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))))
made <- make_vignette(file.path(root, "docs", "from-r.md"))
if ("--print" %in% commandArgs(trailingOnly = TRUE)) {
  cat(made, sep = "\n")
} else {
  dir.create(file.path(root, "vignettes"), showWarnings = FALSE)
  writeLines(made, file.path(root, "vignettes", "from-r.Rmd"), useBytes = TRUE)
}
