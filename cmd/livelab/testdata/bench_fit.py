"""Fits what bench_fit_test.go fits, to the matrix that it wrote, and prints
what it took as JSON.

usage: bench_fit.py logistic|trees FOLDER ROWS COLS TREES

FOLDER holds x (float64, row by row) and y (one byte a row). The fit alone is
timed; the peak is of the whole process up to the fit's end. Trees are fitted to
the first 80 % of the rows and scored on the rest.
"""

import json
import sys
import time

import numpy as np


def peak_mib():
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) / 1024 for line in f if line.startswith("VmHWM:"))


def logistic(x, y, _):
    from sklearn.linear_model import LogisticRegression

    start = time.perf_counter()
    LogisticRegression(C=1, solver="lbfgs", tol=1e-12, max_iter=100000, class_weight="balanced").fit(x, y)
    out = {"seconds": time.perf_counter() - start, "peak_mib": peak_mib()}
    # lbfgs stops about 1e-6 short of the optimum; this solver does not.
    reference = LogisticRegression(C=1, solver="newton-cholesky", tol=1e-12, max_iter=1000, class_weight="balanced").fit(x, y)
    return out | {"coefficients": [*reference.coef_[0], *reference.intercept_]}


def trees(x, y, count):
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import log_loss

    fitted = len(y) * 4 // 5
    start = time.perf_counter()
    m = HistGradientBoostingClassifier(max_iter=count, early_stopping=False, random_state=0).fit(x[:fitted], y[:fitted])
    out = {"seconds": time.perf_counter() - start, "peak_mib": peak_mib()}
    return out | {"loss": log_loss(y[fitted:], m.predict_proba(x[fitted:])[:, 1])}


def main(family, folder, rows, cols, count):
    x = np.fromfile(folder + "/x").reshape(int(rows), int(cols))
    y = np.fromfile(folder + "/y", dtype=bool)
    print(json.dumps({"logistic": logistic, "trees": trees}[family](x, y, int(count))))


main(*sys.argv[1:])
