# How agreement_input.csv, agreement_r.csv, categories_input.csv and categories_r.csv were made: Rscript agreement.R EPIR in this folder.
# EPIR is the folder of the package epiR (of its functions epi.ccc and epi.kappa alone are used, which need no other package).
suppressMessages(library(pROC)); options(warn = -1)
epiR <- new.env(); lazyLoad(file.path(commandArgs(TRUE)[1], "R", "epiR"), envir = epiR)
environment(epiR$epi.ccc) <- environment(epiR$epi.kappa) <- globalenv()
set.seed(29)
make <- function(set, n, noise, shift = 0, scale = 1, digits = 6, lost = 0) {
  y <- exp(rnorm(n, 2, .7)); x <- scale * y * exp(rnorm(n, 0, noise)) + shift
  gone <- sample(2 * n, lost); x[gone[gone <= n]] <- NA; y[gone[gone > n] - n] <- NA
  data.frame(set = set, derived = round(x, digits), measured = round(y, digits))
}
sets <- list(make("plain", 60, .2), make("ties", 70, .4, digits = 0), make("shifted", 40, .2, shift = 6), make("missing", 50, .3, lost = 15),
             make("scaled", 45, .1, scale = 3), make("small", 8, .5), make("nothing", 90, 3), transform(make("reversed", 50, .2), derived = -derived),
             make("nearly the same", 30, 1e-5), transform(make("of one value", 20, .3), derived = 4))
write.csv(do.call(rbind, sets), "agreement_input.csv", row.names = FALSE, quote = FALSE)
d <- read.csv("agreement_input.csv"); out <- NULL
for (s in unique(d$set)) {
  one <- na.omit(d[d$set == s, ]); n <- nrow(one)
  ccc <- if (var(one$derived) > 0) epiR$epi.ccc(one$derived, one$measured, ci = "z-transform", conf.level = .95) else NULL
  l <- ccc$rho.c; b <- t.test(one$derived, one$measured, paired = TRUE)
  difference <- one$derived - one$measured; half <- qnorm(.975) * sd(difference)
  rho <- cor(one$derived, one$measured, method = "spearman")
  z <- qnorm(.975) * sqrt((1 + rho^2 / 2) / (n - 3))  # Bonett and Wright 2000
  high <- one$measured > median(one$measured)
  curve <- roc(high, one$derived, levels = c(FALSE, TRUE), direction = "<", quiet = TRUE); ci <- as.numeric(ci.auc(curve, method = "delong"))
  if (is.null(l)) l <- data.frame(est = NA, lower = NA, upper = NA)
  out <- rbind(out, data.frame(set = s, n = n, ccc = l[[1]], ccc_lower = l[[2]], ccc_upper = l[[3]], bias = unname(b$estimate),
    bias_lower = b$conf.int[1], bias_upper = b$conf.int[2], lower = mean(difference) - half, upper = mean(difference) + half,
    rho = rho, rho_lower = tanh(atanh(rho) - z), rho_upper = tanh(atanh(rho) + z), auc = ci[2], auc_lower = ci[1], auc_upper = ci[3]))
}
for (name in names(out)[-(1:2)]) out[[name]] <- sprintf("%.15g", out[[name]])
write.csv(out, "agreement_r.csv", row.names = FALSE, quote = FALSE)
judge <- function(set, n, words, agree, lost = 0) {
  y <- sample(words, n, TRUE); x <- ifelse(runif(n) < agree, y, sample(words, n, TRUE)); x[sample(n, lost)] <- NA
  data.frame(set = set, derived = x, measured = y)
}
categories <- do.call(rbind, list(judge("two", 60, c("good", "poor"), .8), judge("four", 90, c("a", "b", "c", "d"), .5),
  judge("missing", 40, c("high", "low"), .7, 9), judge("chance", 80, c("good", "poor"), 0), judge("rare", 70, c("no", "no", "no", "no", "yes"), .6)))
write.csv(categories, "categories_input.csv", row.names = FALSE, quote = FALSE); out <- NULL
for (s in unique(categories$set)) {
  one <- na.omit(categories[categories$set == s, ]); words <- sort(unique(c(one$derived, one$measured)))
  counts <- table(factor(one$derived, words), factor(one$measured, words)); n <- sum(counts)
  p <- counts / n; rows <- rowSums(p); columns <- colSums(p); chance <- sum(rows * columns); k <- (sum(diag(p)) - chance) / (1 - chance)
  a <- sum(diag(p) * (1 - (rows + columns) * (1 - k))^2)  # Fleiss, Cohen and Everitt 1969, written out
  w <- outer(columns, rows, "+")^2; diag(w) <- 0
  se <- sqrt((a + (1 - k)^2 * sum(p * w) - (k - chance * (1 - k))^2) / n) / (1 - chance)
  its <- epiR$epi.kappa(unclass(counts), method = "fleiss", alternative = "two.sided", conf.level = .95)$kappa
  out <- rbind(out, data.frame(set = s, n = n, kappa = k, lower = k - qnorm(.975) * se, upper = k + qnorm(.975) * se,
    epir = if (length(words) == 2) its[[1]] else NA, epir_se = if (length(words) == 2) its[[2]] else NA))
}
for (name in names(out)[-(1:2)]) out[[name]] <- sprintf("%.15g", out[[name]])
write.csv(out, "categories_r.csv", row.names = FALSE, quote = FALSE)
session <- capture.output(sessionInfo())
version <- read.dcf(file.path(commandArgs(TRUE)[1], "DESCRIPTION"))[, "Version"]
writeLines(c(session[1:3], trimws(session[grep("pROC", session)]), paste0("epiR_", version)), "agreement_session.txt")
