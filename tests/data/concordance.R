# How concordance_input.csv and concordance_r.csv were made: Rscript concordance.R in this folder (see concordance_session.txt).
library(survival); set.seed(19)
make <- function(set, n, censored, digits = 8, days = 2000) {
  a <- round(rnorm(n), digits); b <- round(.6 * a + rnorm(n), digits)
  t <- ceiling(rexp(n, exp(.7 * a + .2 * b) / days)); c <- ceiling(runif(n, 0, 2 * days * censored))
  data.frame(set = set, days = pmin(t, c), event = as.integer(t <= c), a = a, b = b)
}
sets <- list(make("plain", 80, 1), make("ties of scores", 90, 1, 0), make("ties of days", 70, 1, 3, 8), make("few events", 60, .12),
             make("small", 9, 2), transform(make("the same", 40, 1), b = a), transform(make("reversed", 50, 1), b = -a),
             transform(make("constant", 50, 1), b = 0))
day0 <- make("zeros", 60, 1, 1, 3); day0[day0$days < 3, "days"] <- 0; day0[c(5, 9, 20), c("a", "b")] <- 0
gone <- make("missing", 45, 1); gone[c(4, 17), "a"] <- NA; gone[c(17, 30), "b"] <- NA; gone[8, "days"] <- NA
apart <- make("separation", 30, 2); apart$a <- -rank(apart$days); apart$b <- -(apart$days > median(apart$days))
alone <- make("one group is empty", 40, 1); alone[alone$b > median(alone$b), "event"] <- 0   # of the upper half of b nobody has it
sets <- c(sets, list(day0, gone, apart, alone))
write.csv(do.call(rbind, sets), "concordance_input.csv", row.names = FALSE, quote = FALSE)
d <- read.csv("concordance_input.csv"); out <- NULL
for (s in unique(d$set)) {
  one <- na.omit(d[d$set == s, ]); y <- Surv(one$days, one$event)
  # the hazard grows with a and b: reverse
  ca <- concordance(y ~ a, one, reverse = TRUE, influence = 1); cb <- concordance(y ~ b, one, reverse = TRUE, influence = 1)
  both <- sum((ca$dfbeta - cb$dfbeta)^2)
  out <- rbind(out, data.frame(set = s, n = nrow(one), events = sum(one$event), a = ca$concordance, var_a = ca$var,
                               b = cb$concordance, var_b = cb$var, var_difference = both))
}
for (name in names(out)[-(1:3)]) out[[name]] <- sprintf("%.15g", out[[name]])
write.csv(out, "concordance_r.csv", row.names = FALSE, quote = FALSE)
writeLines(capture.output(sessionInfo())[c(1, 2, 3, grep("survival", capture.output(sessionInfo())))], "concordance_session.txt")
