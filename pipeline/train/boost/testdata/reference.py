#!/usr/bin/python3
"""Writes reference.json: what scikit-learn's trees score on held-out rows,
which reference_test.go compares with. Needs Debian's python3-sklearn; run it in
this folder."""

import json
import sys

from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss

sys.path.append("../../testdata")
from synthetic import curved  # noqa: E402

ROWS, COLS, HELD_OUT = 20000, 9, 5000


def case(name, rate, trees, leaves, least, l2):
    x, y = curved(ROWS, COLS)
    fitted, held = slice(ROWS - HELD_OUT), slice(ROWS - HELD_OUT, ROWS)
    m = HistGradientBoostingClassifier(
        learning_rate=rate, max_iter=trees, max_leaf_nodes=leaves, min_samples_leaf=least,
        l2_regularization=l2, early_stopping=False, random_state=0).fit(x[fitted], y[fitted])
    return {"name": name, "learning_rate": rate, "trees": trees, "leaves": leaves, "min_rows": least, "l2": l2,
            "fitted": log_loss(y[fitted], m.predict_proba(x[fitted])[:, 1]),
            "held_out": log_loss(y[held], m.predict_proba(x[held])[:, 1])}


y = curved(ROWS, COLS)[1]
out = {"rows": ROWS, "cols": COLS, "held_out": HELD_OUT, "positives": int(y.sum()), "cases": [
    case("as scikit-learn's defaults", 0.1, 100, 31, 20, 0.0),
    case("small trees", 0.1, 60, 4, 20, 0.0),
    case("slow and penalised", 0.03, 80, 15, 100, 10.0),
]}
with open("reference.json", "w") as f:
    json.dump(out, f, indent=1)
    f.write("\n")
