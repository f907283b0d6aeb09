#!/usr/bin/python3
"""Writes reference.json: coefficients by scikit-learn that reference_test.go
compares with. Needs Debian's python3-sklearn; run it in this folder."""

import json
import warnings

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from synthetic import matrix


def lbfgs(x, y, c, class_weight):
    """scikit-learn hands lbfgs a tolerance for the gradient only; the one for
    the objective stops it about 1e-6 short of the optimum. Started again from
    where it stopped, it goes on."""
    m = LogisticRegression(C=c, solver="lbfgs", tol=1e-12, max_iter=100000,
                           class_weight=class_weight, warm_start=True)
    for _ in range(200):
        before = None if not hasattr(m, "coef_") else np.append(m.coef_, m.intercept_)
        m.fit(x, y)
        if before is not None and np.abs(np.append(m.coef_, m.intercept_) - before).max() == 0:
            break
    return m


def case(name, x, y, c, class_weight):
    m = lbfgs(x, y, c, class_weight)
    # Another of its solvers must agree, or the reference is none.
    other = LogisticRegression(C=c, solver="newton-cholesky", tol=1e-12, max_iter=1000,
                               class_weight=class_weight).fit(x, y)
    gap = max(np.abs(m.coef_ - other.coef_).max(), np.abs(m.intercept_ - other.intercept_).max())
    print(f"{name}: lbfgs and newton-cholesky differ by {gap:.1e}")
    assert gap < 2e-7
    return {"name": name, "c": c, "balanced": class_weight is not None,
            "coefficients": m.coef_[0].tolist(), "intercept": m.intercept_[0]}


def main():
    warnings.filterwarnings("ignore")  # lbfgs says that it cannot improve
    raw, y = matrix(3000, 8)
    # As real columns: other units, other origins, and values missing.
    raw = raw * 10.0 ** (np.arange(8) - 3) + np.arange(8)
    raw[::13, 3] = np.nan
    scaler = StandardScaler().fit(raw)  # leaves missing values out
    x = np.nan_to_num(scaler.transform(raw), nan=0.0)
    out = {
        "rows": 3000, "positives": int(y.sum()),
        "means": scaler.mean_.tolist(), "scales": scaler.scale_.tolist(),
        "cases": [
            case("plain", x, y, 1.0, None),
            case("balanced", x, y, 1.0, "balanced"),
            case("strong penalty", x, y, 0.001, "balanced"),
            case("weak penalty", x, y, 1000.0, None),
        ],
    }
    with open("reference.json", "w") as f:
        json.dump(out, f, indent=1)
        f.write("\n")


main()
