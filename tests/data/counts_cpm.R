# How counts_cpm_r.csv was made: R 4.2.2, on counts_cpm_input.csv.gz (simulated counts of 411 genes in six samples) and
# analyses/data/mcp_counter.csv: Rscript tests/data/counts_cpm.R, from the repository's root.
# MCP-counter is the mean over a population's markers (Becht et al. 2016); here of log2(CPM + 1).
x <- as.matrix(read.csv(gzfile("tests/data/counts_cpm_input.csv.gz"), row.names = 1, check.names = FALSE))
cpm <- t(t(x) / colSums(x)) * 1e6
y <- log2(cpm + 1)
markers <- read.csv("analyses/data/mcp_counter.csv")
out <- file("tests/data/counts_cpm_r.csv", "w")
writeLines("sample,population,abundance", out)
for (s in colnames(y)) for (p in unique(markers$population)) {
  writeLines(sprintf("%s,%s,%.15g", s, p, mean(y[markers$marker[markers$population == p], s])), out)
}
close(out)
print(sessionInfo()$R.version$version.string)
