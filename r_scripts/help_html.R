# Prints R's help pages as HTML, one after the other, for the documentation site: Rscript r_scripts/help_html.R man

for (file in sort(list.files(commandArgs(trailingOnly = TRUE)[1L], "[.]Rd$", full.names = TRUE))) {
  out <- tempfile()
  tools::Rd2HTML(file, out, Links = character(), Links2 = character(), dynamic = FALSE)
  cat(readLines(out), sep = "\n")
}
