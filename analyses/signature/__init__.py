"""The radiogenomic signature's machinery: nothing here knows a database.

folds        folds, and what is measured on them
forest       out-of-fold scores of a random forest, compiled: the fitness of the search
plain        the same by scikit-learn's forests, many times slower
genetic      the genetic algorithm, generation by generation
estimators   correlation filter, genetic selector, ComBat as scikit-learn's estimators
settings     parameters that the signature's analyses share
training     from training patients to a signature
nested       what the nested cross-validation left
artefact     the fitted signature as a file (skops), and back, verified
features     feature tables of examinations: which to take, and whether two compare
"""
