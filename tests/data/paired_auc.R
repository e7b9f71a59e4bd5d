# How paired_auc_input.csv and paired_auc_r.csv were made: Rscript paired_auc.R in this folder (see paired_auc_session.txt).
suppressMessages(library(pROC)); options(warn = -1); set.seed(23)
make <- function(set, n, n_good, shift_a, shift_b, shared, digits = 8) {
  good <- rep(c(TRUE, FALSE), c(n_good, n - n_good)); both <- shared * rnorm(n)
  a <- round(plogis(both + rnorm(n, ifelse(good, shift_a, -shift_a))), digits)
  b <- round(plogis(both + rnorm(n, ifelse(good, shift_b, -shift_b))), digits)
  data.frame(set = set, is_good = good, a = a, b = b)[sample(n), ]
}
sets <- list(make("plain", 61, 34, .6, .2, .5), make("ties", 80, 37, .5, .3, .4, 1), make("small", 7, 2, .1, .5, .5),
             make("reversed", 40, 18, .5, -.5, .3), make("rare", 90, 4, .4, .6, 1), make("alike", 120, 60, .5, .45, 3),
             make("coarse", 30, 15, .3, .3, .2, 0), make("apart", 50, 25, 1.2, .1, 0),
             data.frame(set = "separated", is_good = rep(c(FALSE, TRUE), each = 4), a = c(.1, .2, .3, .4, .6, .7, .8, .9),
                        b = c(.1, .8, .3, .4, .2, .7, .3, .9)),
             transform(make("the same", 30, 14, .5, .5, 0), b = a))
gone <- make("missing", 40, 17, .5, .3, .4); gone[c(2, 19), "a"] <- NA; gone[c(19, 33), "b"] <- NA; gone[7, "is_good"] <- NA
none <- make("zeros", 44, 20, .5, .2, .4, 1); none[none$a < .3, "a"] <- 0; none[none$b < .2, "b"] <- 0
sets <- c(sets, list(gone, none, make("two of a class", 14, 2, .3, .1, .4)))
write.csv(do.call(rbind, sets), "paired_auc_input.csv", row.names = FALSE, quote = FALSE)
d <- read.csv("paired_auc_input.csv"); d$is_good <- as.logical(d$is_good); out <- NULL
for (s in unique(d$set)) {
  one <- na.omit(d[d$set == s, ])
  curve <- function(score) roc(one$is_good, score, levels = c(FALSE, TRUE), direction = "<", quiet = TRUE)
  a <- curve(one$a); b <- curve(one$b)
  error <- sqrt(var(a, method = "delong") + var(b, method = "delong") - 2 * cov(a, b, method = "delong"))
  test <- roc.test(a, b, method = "delong", paired = TRUE)
  out <- rbind(out, data.frame(set = s, n = nrow(one), a = as.numeric(auc(a)), b = as.numeric(auc(b)), error = error,
                               z = as.numeric(test$statistic), p = test$p.value))
}
for (name in names(out)[-(1:2)]) out[[name]] <- sprintf("%.15g", out[[name]])
write.csv(out, "paired_auc_r.csv", row.names = FALSE, quote = FALSE)
session <- capture.output(sessionInfo())
writeLines(session[c(1, 2, 3, grep("pROC", session))], "paired_auc_session.txt")
