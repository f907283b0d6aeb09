#!/usr/bin/python3
"""Writes reference.json: scores by scikit-learn that metrics_test.go compares
with. Needs Debian's python3-sklearn; run it in this folder."""

import json

import numpy as np
from sklearn import metrics


def ece(y, p, bins=10):
    """scikit-learn has none; the definition, written down independently."""
    which = np.minimum((p * bins).astype(int), bins - 1)
    return sum(
        np.mean(which == b) * abs(np.mean(p[which == b]) - np.mean(y[which == b]))
        for b in range(bins)
        if np.any(which == b)
    )


def case(name, p, y, threshold):
    called = p >= threshold
    return {
        "name": name,
        "proba": p.tolist(),
        "outcome": y.astype(bool).tolist(),
        "threshold": threshold,
        "f1": metrics.f1_score(y, called),
        "precision": metrics.precision_score(y, called),
        "recall": metrics.recall_score(y, called),
        "pr_auc": metrics.average_precision_score(y, p),
        "roc_auc": metrics.roc_auc_score(y, p),
        "brier": metrics.brier_score_loss(y, p),
        "log_loss": metrics.log_loss(y, p, eps=1e-15),
        "ece": ece(y, p),
    }


def main():
    r = np.random.RandomState(7)
    y = r.rand(300) < 0.3
    informed = 1 / (1 + np.exp(-(r.randn(300) + 2.0 * y - 1.0)))
    cases = [
        case("informed", informed, y, 0.4),
        case("ties", np.round(informed, 1), y, 0.5),
        case("noise", r.rand(300), y, 0.5),
        case("certain", (informed > 0.5).astype(float), y, 0.5),
        case("constant", np.full(300, 0.25), y, 0.2),
        case("rare", informed[:40], np.arange(40) == 17, informed[17]),
    ]
    with open("reference.json", "w") as f:
        json.dump(cases, f, indent=1)
        f.write("\n")


main()
