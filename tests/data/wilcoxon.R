# How wilcoxon_input.csv and wilcoxon_r.csv were made: Rscript wilcoxon.R in this folder (see wilcoxon_session.txt).
options(warn = -1); set.seed(9)
make <- function(set, n, digits = 6, same = 0) {
  a <- round(rnorm(n, 5.3), digits); b <- round(rnorm(n, 5), digits); if (same) b[seq_len(same)] <- a[seq_len(same)]
  data.frame(set = set, tumor = a, stroma = b)
}
sets <- list(make("n6", 6), make("n49", 49), make("n50", 50), make("n51", 51), make("zero", 20, same = 1), make("zeros", 52, same = 3), make("ties", 20, 0))
gone <- make("missing", 24); gone[c(3, 20), "tumor"] <- NA; gone[c(7, 20), "stroma"] <- NA
apart <- make("separation", 15); apart$tumor <- apart$stroma + round(abs(rnorm(15)), 6) + .1
sets <- c(sets, list(gone, apart, transform(apart, set = "separation with ties", tumor = stroma + 2), make("ties and zeros", 30, 0)))
write.csv(do.call(rbind, sets), "wilcoxon_input.csv", row.names = FALSE, quote = FALSE)
d <- read.csv("wilcoxon_input.csv"); out <- NULL
for (s in unique(d$set)) {
  w <- with(d[d$set == s, ], wilcox.test(tumor, stroma, paired = TRUE))
  out <- rbind(out, data.frame(set = s, v = w$statistic, p = sprintf("%.17g", w$p.value), is_exact = grepl("exact", w$method)))
}
write.csv(out, "wilcoxon_r.csv", row.names = FALSE, quote = FALSE)
writeLines(capture.output(sessionInfo())[1:3], "wilcoxon_session.txt")
