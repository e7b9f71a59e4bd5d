# How schoenfeld_r.csv was made: Rscript schoenfeld.R in this folder, on cox_input.csv (see schoenfeld_session.txt).
library(survival); library(splines)
d <- read.csv("cox_input.csv"); out <- NULL
for (set in c("plain", "ties", "zeros", "missing", "few", "empty", "onesided")) for (terms in list("a", c("a", "b", "c"))) {
  if (set == "empty" && length(terms) > 1) terms <- c("a", "b")                 # c does not vary
  x <- na.omit(d[d$set == set, ]); fitted <- terms
  if (set == "onesided" && length(terms) > 1) { terms <- c("a", "b"); fitted <- c(terms, "strata(c)") }  # the model at the end of c
  fit <- coxph(reformulate(fitted, "Surv(days, event)"), x, ties = "efron", control = coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 200))
  z <- cox.zph(fit, transform = "km")
  at <- z$x; all <- c(seq(min(at), max(at), length = 40), at)
  basis <- ns(all, df = 4, intercept = TRUE)[-(1:40), ]; q <- qr(basis)
  for (term in terms) {
    y <- z$y[, term]; values <- error <- NA  # deaths at fewer than four times have no such curve
    if (q$rank == 4) {
      values <- qr.fitted(q, y); error <- sqrt(z$var[match(term, terms), match(term, terms)] * rowSums((basis %*% solve(crossprod(basis))) * basis))
    }
    out <- rbind(out, data.frame(set = set, terms = paste(terms, collapse = "+"), term = term, days = z$time, km_time = at, value = y,
                                 smooth = values, error = error, p = z$table[term, "p"]))
  }
}
for (name in c("km_time", "value", "smooth", "error", "p")) out[[name]] <- sprintf("%.12g", out[[name]])
write.csv(out, "schoenfeld_r.csv", row.names = FALSE, quote = FALSE)
said <- capture.output(sessionInfo()); writeLines(said[c(1, 2, 3, grep("survival", said))], "schoenfeld_session.txt")
