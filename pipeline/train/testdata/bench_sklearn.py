#!/usr/bin/python3
"""Times scikit-learn's fit of the matrix that BenchmarkFit fits, and prints
{"seconds", "iterations", "coefficients", "intercept"} of the fastest of three.
Usage: bench_sklearn.py ROWS. It is given less to do than the Go fit: one call
of lbfgs, which stops about 1e-6 short of the optimum."""

import json
import sys
import time

from sklearn.linear_model import LogisticRegression
from synthetic import matrix

x, y = matrix(int(sys.argv[1]), 8)
best = None
for _ in range(3):
    start = time.perf_counter()
    m = LogisticRegression(C=1, solver="lbfgs", tol=1e-12, max_iter=100000, class_weight="balanced").fit(x, y)
    seconds = time.perf_counter() - start
    best = seconds if best is None else min(best, seconds)
json.dump({"seconds": best, "iterations": int(m.n_iter_[0]),
           "coefficients": m.coef_[0].tolist(), "intercept": m.intercept_[0]}, sys.stdout)
