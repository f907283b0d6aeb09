"""Compares a version's forecasts with scikit-learn's HistGradientBoostingClassifier.

Usage: compare_hgb.py ROWS.npz

ROWS.npz is what `livelab matrix --version V --out ROWS.npz` writes. The
classifier has its default settings but for 150 iterations, and is fitted on the
same rows and inputs: on the train part, and on train and validation. Its fits
differ much from seed to seed on such data, so each is made with three, and the
one with the highest PR-AUC on the test part stands for it: the choice is in its
favour. All are scored on the test part. Thresholds for F1 are
those of the best F1 on the validation part; the fit on both parts takes that of
the fit on one. The answer is a line of JSON: a table of scores, and the
probabilities of the test rows in a file beside ROWS.npz.
"""

import json
import sys
import time

import numpy
import sklearn
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, precision_recall_curve, roc_auc_score

ITERATIONS = 150
SEEDS = 3


def best_threshold(y, p):
    precision, recall, thresholds = precision_recall_curve(y, p)
    f1 = 2 * precision * recall / numpy.maximum(precision + recall, 1e-12)
    return float(thresholds[min(int(numpy.argmax(f1)), len(thresholds) - 1)])


def scores(y, p, threshold, onset):
    called = p >= threshold
    hits = numpy.sum(called & (y == 1))
    return {
        "f1": float(2 * hits / max(1, called.sum() + y.sum())),
        "pr_auc": float(average_precision_score(y, p)),
        "roc_auc": float(roc_auc_score(y, p)),
        "brier": float(brier_score_loss(y, p)),
        "log_loss": float(log_loss(y, numpy.clip(p, 1e-15, 1 - 1e-15))),
        "onset_pr_auc": float(average_precision_score(y[onset], p[onset])),
        "onset_brier": float(brier_score_loss(y[onset], p[onset])),
    }


def main(path):
    rows = numpy.load(path)
    x, y, part = rows["x"], rows["label"].astype(int), rows["part"]
    short_now = rows["short_now"].astype(float)
    train, validation, test = part == 1, part == 2, part == 3
    onset = short_now[test] == 0

    forecasts, seconds, every = {}, {}, {}
    for name, fitted in (("hgb", train), ("hgb_refit", train | validation)):
        best, every[name] = -1.0, []
        begin = time.perf_counter()
        for seed in range(SEEDS):
            model = HistGradientBoostingClassifier(max_iter=ITERATIONS, random_state=seed)
            model.fit(x[fitted], y[fitted])
            p = model.predict_proba(x[test])[:, 1]
            every[name].append(float(average_precision_score(y[test], p)))
            if every[name][-1] <= best:
                continue
            best = every[name][-1]
            if name == "hgb":
                chosen = best_threshold(y[validation], model.predict_proba(x[validation])[:, 1])
            forecasts[name] = (p, chosen)
        seconds[name] = (time.perf_counter() - begin) / SEEDS
    forecasts["persistence"] = (short_now[test], 0.5)
    base = y[train].mean()
    climatology = numpy.clip(numpy.nan_to_num(rows["climatology"], nan=base), 0, 1)
    forecasts["climatology"] = (climatology[test], best_threshold(y[validation], climatology[validation]))

    table = {name: scores(y[test], p, t, onset) for name, (p, t) in forecasts.items()}
    numpy.stack([p for p, _ in forecasts.values()]).astype("<f8").tofile(path + ".forecasts")
    print(json.dumps({
        "sklearn": sklearn.__version__, "rows": {"train": int(train.sum()), "validation": int(validation.sum()), "test": int(test.sum())},
        "inputs": x.shape[1], "seconds": seconds, "pr_auc_by_seed": every, "names": list(forecasts), "thresholds": [t for _, t in forecasts.values()],
        "scores": table,
    }))


main(sys.argv[1])
