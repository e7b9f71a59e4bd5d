# How agreement_input.csv, agreement_r.csv, categories_input.csv and categories_r.csv were made: Rscript agreement.R LIBRARY in this folder.
# LIBRARY is a folder with the packages epiR and vcd, as Debian has them: of these epi.ccc and Kappa alone are used, which need no other.
suppressMessages(library(pROC)); options(warn = -1); from <- commandArgs(TRUE)[1]
functions_of <- function(package) {
  found <- new.env(); invisible(lazyLoad(file.path(from, package, "R", package), envir = found))
  for (name in ls(found)) if (is.function(found[[name]])) environment(found[[name]]) <- found
  found
}
epiR <- functions_of("epiR"); vcd <- functions_of("vcd")
set.seed(29)
make <- function(set, n, noise, shift = 0, scale = 1, digits = 6, lost = 0) {
  y <- exp(rnorm(n, 2, .7)); x <- scale * y * exp(rnorm(n, 0, noise)) + shift
  gone <- sample(2 * n, lost); x[gone[gone <= n]] <- NA; y[gone[gone > n] - n] <- NA
  data.frame(set = set, derived = round(x, digits), measured = round(y, digits))
}
sets <- list(make("plain", 60, .2), make("ties", 70, .4, digits = 0), make("shifted", 40, .2, shift = 6), make("missing", 50, .3, lost = 15),
             make("scaled", 45, .1, scale = 3), make("small", 8, .5), make("nothing", 90, 3), transform(make("reversed", 50, .2), derived = -derived),
             make("nearly the same", 30, 1e-5), transform(make("of one value", 20, .3), derived = 4))
kept <- .Random.seed; none <- make("zeros", 40, .3, digits = 0); none[c(2, 9, 15), "derived"] <- 0; none[c(9, 30), "measured"] <- 0
sets <- c(sets, list(none, transform(make("separation", 24, .01), derived = measured * 3 + 40))); .Random.seed <- kept  # what follows is as it was
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
  counts <- unclass(table(factor(one$derived, words), factor(one$measured, words))); k <- vcd$Kappa(counts)$Unweighted
  half <- qnorm(.975) * k[["ASE"]]
  out <- rbind(out, data.frame(set = s, n = sum(counts), kappa = k[["value"]], lower = k[["value"]] - half, upper = k[["value"]] + half))
}
for (name in names(out)[-(1:2)]) out[[name]] <- sprintf("%.15g", out[[name]])
write.csv(out, "categories_r.csv", row.names = FALSE, quote = FALSE)
session <- capture.output(sessionInfo())
version <- function(package) paste0(package, "_", read.dcf(file.path(from, package, "DESCRIPTION"))[, "Version"])
writeLines(c(session[1:3], trimws(session[grep("pROC", session)]), version("epiR"), version("vcd")), "agreement_session.txt")
