# How combat_cases_input.csv, combat_cases_r.csv and combat_cases_session.txt were made: Rscript combat_cases.R in this folder.
# ComBat of Bioconductor's sva, set by set; it ends at a change of 1e-4: its own function goes on to 1e-10 here, so that digits can be compared.
suppressMessages(library(sva)); end <- sva:::it.sol; formals(end)$conv <- 1e-10; assignInNamespace("it.sol", end, "sva"); set.seed(44)
make <- function(set, sizes, digits = 6) {
  batch <- rep(letters[seq_along(sizes)], sizes); n <- length(batch); place <- match(batch, letters)
  x <- sapply(1:5, function(j) round((rnorm(n, j) * c(1, 1.8, .6)[place] + c(0, 2, -1)[place]) * j, digits))
  data.frame(set = set, batch = batch, x)
}
none <- make("zeros", c(12, 10)); none[c(1, 4, 13, 17, 20), "X1"] <- 0; none[1:6, "X4"] <- 0
gone <- make("missing", c(11, 12, 10)); gone[c(2, 14), "X2"] <- NA; gone[c(14, 25), "X5"] <- NA; still <- make("separation", c(9, 8)); still$X3 <- ifelse(still$batch == "a", 0, 5)
sets <- list(make("plain", c(14, 9, 8)), make("ties", c(12, 15), 0), none, gone, make("small", c(3, 3)), still)
write.csv(do.call(rbind, sets), "combat_cases_input.csv", row.names = FALSE, quote = FALSE)
d <- read.csv("combat_cases_input.csv"); out <- NULL
for (set in unique(d$set)) {
  x <- na.omit(d[d$set == set, ]); after <- suppressMessages(ComBat(t(as.matrix(x[paste0("X", 1:5)])), x$batch))
  out <- rbind(out, data.frame(set = set, apply(t(after), 2, function(v) sprintf("%.15g", v))))
}
write.csv(out, "combat_cases_r.csv", row.names = FALSE, quote = FALSE)
said <- capture.output(sessionInfo()); writeLines(c(said[1:3], "sva", as.character(packageVersion("sva"))), "combat_cases_session.txt")
