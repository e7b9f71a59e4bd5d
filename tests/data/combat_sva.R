# ComBat of Bioconductor's sva on made-up features: some do not vary in a batch, or anywhere. Rscript combat_sva.R
suppressMessages(library(sva))
# sva ends at a change of 1e-4: its own function goes on to 1e-10 here, so that digits can be compared
end <- sva:::it.sol; formals(end)$conv <- 1e-10; assignInNamespace("it.sol", end, "sva")
set.seed(11)
batch <- rep(c("a", "b", "c"), c(12, 9, 7))
n <- length(batch)
x <- matrix(round(rnorm(6 * n) * c(1, 2, 0.5, 3, 1, 10) + rep(c(0, 5, -2, 1, 100, 0), n), 3), 6)
x[, batch == "b"] <- round(x[, batch == "b"] * 1.7 + 2, 3)
x[1, c(1, 2, 3, 13, 14)] <- 0                          # zeros and ties
only_b <- x[2, ]; only_b[batch == "b"] <- 4            # does not vary in b
two <- x[3, ]; two[batch != "a"] <- 1                  # varies in a alone
x <- rbind(x, 0, 7.25, only_b, two)                    # 0 for everybody, one value for everybody
after <- suppressMessages(ComBat(x, batch))
write.csv(data.frame(batch, before = round(t(x), 3)), "combat_sva_input.csv", row.names = FALSE)
write.csv(format(t(after), digits = 15), "combat_sva_r.csv", row.names = FALSE, quote = FALSE)
writeLines(capture.output(sessionInfo()), "combat_sva_session.txt")
