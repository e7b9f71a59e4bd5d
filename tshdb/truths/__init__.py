"""External truths: derived values held against measurements that nobody here derived.

declared      truths.toml: which column, which measurement, which relation is expected
sides         both sides read: values by patient, examination or visit
agreement     figures with intervals: Lin's coefficient, Bland and Altman's limits, Spearman's correlation, AUC, kappa
verdicts      what a figure says beside its threshold: agrees, cannot be judged, disagrees
explanations  what would make a truth agree that does not: exchanged patients, another unit, another sign
judging       a truth from its entry to its verdict

Nothing is stored: a truth is computed from the study and the files as they are.
"""
