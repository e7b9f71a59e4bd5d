# How small_samples_input.csv, small_samples_r.csv and small_samples_session.txt were made: Rscript small_samples.R in this folder.
# p.adjust, cor.test (Pearson), wilcox.test of two samples and psych's ICC (single random raters), of columns x and y or of groups.
suppressMessages(library(psych)); options(warn = -1); set.seed(42)
make <- function(set, n, digits = 6, shift = .4) { x <- rnorm(n, 5); data.frame(set = set, x = round(x, digits), y = round(.6 * x + rnorm(n, 2 + shift), digits)) }
gone <- make("missing", 30, 1); gone$x[c(3, 8)] <- NA; gone$y[c(8, 21, 22)] <- NA
none <- make("zeros", 24, 0); none[c(1, 4, 9), "x"] <- 0; none[c(4, 11), "y"] <- 0
sets <- list(make("plain", 25), make("ties", 40, 0), none, gone, make("small", 5), transform(make("separation", 16), y = x + 20),
             transform(make("equal", 12), y = x), transform(make("reversed", 15), y = -x))
write.csv(do.call(rbind, sets), "small_samples_input.csv", row.names = FALSE, quote = FALSE)
d <- read.csv("small_samples_input.csv"); out <- NULL
say <- function(set, what, value) out <<- rbind(out, data.frame(set = set, what = what, value = sprintf("%.15g", value)))
for (set in unique(d$set)) {
  whole <- d[d$set == set, ]; x <- na.omit(whole)
  r <- cor.test(x$x, x$y); say(set, "correlation", r$estimate); say(set, "correlation_p", r$p.value)
  w <- wilcox.test(whole$x, whole$y, exact = FALSE); say(set, "rank_sum", w$statistic); say(set, "rank_sum_p", w$p.value)  # each without its own NA
  i <- ICC(as.matrix(x[c("x", "y")]), lmer = FALSE)$results; say(set, "icc", i[i$type == "ICC2", "ICC"])
}
p <- list(plain = c(.01, .2, .03, .7), ties = c(.04, .01, .04, .04, .5, .01), zeros = c(0, 0, .3, 1, .05), missing = c(.01, NA, .03, NA, .04, .9),
          small = .02, equal = c(.2, .2, .2))
for (set in names(p)) { a <- p.adjust(p[[set]], "BH"); for (i in seq_along(a)) { say(set, paste0("given_", i), p[[set]][i]); say(set, paste0("adjusted_", i), a[i]) } }
write.csv(out, "small_samples_r.csv", row.names = FALSE, quote = FALSE)
said <- capture.output(sessionInfo()); writeLines(said[c(1, 2, 3, grep("psych", said))], "small_samples_session.txt")
