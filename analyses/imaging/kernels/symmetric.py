"""Eigenvalues of a symmetric matrix: Householder's reduction to three diagonals, then counting by Sturm and halving intervals.

Golub and Van Loan, Matrix Computations, 8.3 and 8.4. The order of every operation is written here, so that last digits do
not depend on a machine's linear algebra.
"""

from __future__ import annotations

import math

import numpy as np

from analyses.shared.compiling import kernel


@kernel
def tridiagonal(matrix):
    """(diagonal, off-diagonal) of a matrix with three diagonals and the same eigenvalues; the matrix given is used up."""
    n = matrix.shape[0]
    v = np.empty(n)
    w = np.empty(n)
    for k in range(n - 2):
        length = 0.0
        for i in range(k + 1, n):
            length += matrix[i, k] * matrix[i, k]
        rest = length - matrix[k + 1, k] * matrix[k + 1, k]
        if rest == 0.0:
            continue
        length = math.sqrt(length)
        if matrix[k + 1, k] > 0.0:
            length = -length
        for i in range(k + 1, n):
            v[i] = matrix[i, k]
        v[k + 1] -= length
        half = (v[k + 1] * v[k + 1] + rest) / 2.0
        overlap = 0.0
        for i in range(k + 1, n):
            w[i] = 0.0
        for i in range(k + 1, n):  # of the lower triangle alone
            total = matrix[i, i] * v[i]
            for j in range(k + 1, i):
                total += matrix[i, j] * v[j]
                w[j] += matrix[i, j] * v[i]
            w[i] += total
        for i in range(k + 1, n):
            w[i] /= half
            overlap += w[i] * v[i]
        overlap /= 2.0 * half
        for i in range(k + 1, n):
            w[i] -= overlap * v[i]
        for i in range(k + 1, n):
            for j in range(k + 1, i + 1):
                matrix[i, j] -= v[i] * w[j] + w[i] * v[j]
        matrix[k + 1, k] = length
    diagonal = np.empty(n)
    beside = np.empty(max(n - 1, 0))
    for i in range(n):
        diagonal[i] = matrix[i, i]
    for i in range(n - 1):
        beside[i] = matrix[i + 1, i]
    return diagonal, beside


@kernel
def n_below(diagonal, squares, x, least):
    """How many eigenvalues are less than x; squares: of the off-diagonal; least: what stands for a pivot of 0."""
    n = 0
    pivot = 1.0
    for i in range(len(diagonal)):
        pivot = diagonal[i] - x - (squares[i - 1] / pivot if i > 0 else 0.0)
        if pivot == 0.0:
            pivot = -least
        if pivot < 0.0:
            n += 1
    return n


@kernel
def eigenvalue(diagonal, beside, rank):
    """The eigenvalue of a rank (0: the least) of a matrix with three diagonals."""
    n = len(diagonal)
    squares = beside * beside
    low = high = diagonal[0]
    for i in range(n):
        reach = 0.0
        if i > 0:
            reach += abs(beside[i - 1])
        if i < n - 1:
            reach += abs(beside[i])
        low = min(low, diagonal[i] - reach)
        high = max(high, diagonal[i] + reach)
    size = max(abs(low), abs(high))
    least = max(size * 2.0**-1000, 2.0**-1000)
    while True:
        middle = low + (high - low) / 2.0
        if middle <= low or middle >= high or high - low <= 2.0**-60 * size:
            return middle
        if n_below(diagonal, squares, middle, least) > rank:
            high = middle
        else:
            low = middle
