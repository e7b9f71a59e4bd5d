# How auc_input.csv and auc_r.csv were made: Rscript auc.R in this folder (see auc_session.txt).
suppressMessages(library(pROC)); options(warn = -1); set.seed(11)
make <- function(set, n, n_good, shift, digits = 8) {
  good <- rep(c(TRUE, FALSE), c(n_good, n - n_good))
  data.frame(set = set, is_good = good, score = round(plogis(rnorm(n, ifelse(good, shift, -shift))), digits))[sample(n), ]
}
sets <- list(make("plain", 61, 34, .6), make("ties", 80, 37, .5, 1), make("small", 7, 2, .1), make("reversed", 40, 18, -.5),
             make("rare", 90, 4, .4), make("high", 25, 9, 1.6), make("coarse", 30, 15, .3, 0), make("wide", 50, 25, 1.2),
             data.frame(set = "separated", is_good = c(FALSE, FALSE, TRUE, TRUE, TRUE), score = c(.1, .4, .5, .6, .9)),
             data.frame(set = "touching", is_good = c(FALSE, FALSE, TRUE, TRUE, TRUE), score = c(.1, .5, .5, .6, .9)),
             data.frame(set = "constant", is_good = c(FALSE, FALSE, TRUE, TRUE), score = .3))
gone <- make("missing", 36, 15, .5); gone[c(3, 14, 30), "score"] <- NA; gone[21, "is_good"] <- NA
none <- make("zeros", 30, 14, .4, 1); none[none$score < .3, "score"] <- 0
sets <- c(sets, list(gone, none, make("two of a class", 12, 2, .2),
                     transform(make("ties inside", 70, 32, .4, 1), score = pmin(.9, pmax(.1, score)))))
write.csv(do.call(rbind, sets), "auc_input.csv", row.names = FALSE, quote = FALSE)
d <- read.csv("auc_input.csv"); d$is_good <- as.logical(d$is_good); out <- NULL
for (s in unique(d$set)) {
  one <- na.omit(d[d$set == s, ])
  curve <- roc(one$is_good, one$score, levels = c(FALSE, TRUE), direction = "<", quiet = TRUE)
  ci <- as.numeric(ci.auc(curve, method = "delong"))
  inside <- all(one$score > 0 & one$score < 1)  # qlogis is finite
  line <- if (inside) coef(glm(is_good ~ qlogis(score), binomial, one, control = list(epsilon = 1e-15, maxit = 100))) else c(NA, NA)
  out <- rbind(out, data.frame(set = s, auc = ci[2], lower = ci[1], upper = ci[3], intercept = line[1], slope = line[2]))
}
for (name in names(out)[-1]) out[[name]] <- sprintf("%.15g", out[[name]])
write.csv(out, "auc_r.csv", row.names = FALSE, quote = FALSE)
said <- capture.output(sessionInfo()); writeLines(said[c(1, 2, 3, grep("pROC", said))], "auc_session.txt")
