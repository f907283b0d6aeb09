"""Trains network-shortage as a pandas user would, from raw snapshots.

usage: bench_pandas.py DATABASE_URL frame|cursor

Reads one JSONB payload a snapshot from the table payloads, in CityBikes'
shape, and prints what it measured on the test part as JSON. It does what
`livelab train` does at the heart: totals, a trailing threshold, labels an hour
ahead, lags, a fit on standardised columns, a threshold chosen on validation.
It leaves out what livelab does beside: climatology, calibration, baselines,
five folds of backtest, a frozen dataset, a version in a registry.

The two ways to read are
  frame   the table as a data frame, its payloads exploded to one row a station
  cursor  a server-side cursor, each batch of payloads summed up as it comes
"""

import json
import sys

import numpy as np
import pandas as pd
import psycopg2
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, f1_score, precision_recall_curve
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

QUERY = "SELECT payload FROM payloads ORDER BY id"
HORIZON = pd.Timedelta("60min")
TOLERANCE = pd.Timedelta("15min")
STALE = pd.Timedelta("60min")


def totals_by_frame(connection):
    """One row a snapshot, from one row a station."""
    cursor = connection.cursor()
    cursor.execute(QUERY)
    payloads = [payload for (payload,) in cursor.fetchall()]
    stations = pd.json_normalize(payloads, record_path=["network", "stations"])
    stations["timestamp"] = pd.to_datetime(stations["timestamp"], utc=True)
    return stations.groupby("timestamp")[["free_bikes", "empty_slots"]].sum()


def totals_by_cursor(connection):
    """The same, without holding more than a batch of payloads."""
    cursor = connection.cursor(name="snapshots")
    cursor.itersize = 200
    cursor.execute(QUERY)
    rows = []
    for (payload,) in cursor:
        stations = payload["network"]["stations"]
        rows.append((
            stations[0]["timestamp"],
            sum(s["free_bikes"] for s in stations),
            sum(s["empty_slots"] for s in stations),
        ))
    totals = pd.DataFrame(rows, columns=["timestamp", "free_bikes", "empty_slots"])
    totals["timestamp"] = pd.to_datetime(totals["timestamp"], utc=True)
    return totals.set_index("timestamp")


def as_of(ratio, at, direction, tolerance):
    """The ratio that stood for each of the times; at is ascending."""
    known = ratio.rename("value").rename_axis("known").reset_index()
    asked = pd.DataFrame({"asked": at})
    merged = pd.merge_asof(asked, known, left_on="asked", right_on="known",
                           direction=direction, tolerance=tolerance)
    return merged["value"].to_numpy()


def columns(totals):
    ratio = totals["free_bikes"] / (totals["free_bikes"] + totals["empty_slots"])
    threshold = ratio.rolling("14D", min_periods=20).quantile(0.20)
    at = ratio.index
    x = pd.DataFrame({"margin": ratio - threshold}, index=at)
    for name, ago in {
        "lag_30m": "30min", "lag_60m": "60min", "lag_120m": "120min", "lag_180m": "180min",
        "yesterday": "1D", "yesterday_ahead": "23h", "last_week": "7D", "last_week_ahead": "167h",
    }.items():
        x[name] = as_of(ratio, at - pd.Timedelta(ago), "backward", STALE) - threshold
    x["short_now"] = (ratio < threshold).astype(float)
    ahead = at + HORIZON
    turn = 2 * np.pi * (ahead.hour * 3600 + ahead.minute * 60 + ahead.second) / 86400
    x["hour_sin"], x["hour_cos"] = np.sin(turn), np.cos(turn)
    x["half_day_sin"], x["half_day_cos"] = np.sin(2 * turn), np.cos(2 * turn)
    x["weekend"] = (ahead.dayofweek >= 5).astype(float)
    later = as_of(ratio, ahead, "nearest", TOLERANCE)
    known = ~np.isnan(later) & threshold.notna().to_numpy()
    y = later < threshold.to_numpy()
    return x[known], y[known]


def train(x, y):
    """Fits on the first 60 %, chooses on the next 20 %, measures on the rest."""
    a, b = int(len(x) * 0.6), int(len(x) * 0.8)
    x = x.fillna(x.iloc[:a].mean())
    model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000))
    model.fit(x.iloc[:a], y[:a])
    precision, recall, cut = precision_recall_curve(y[a:b], model.predict_proba(x.iloc[a:b])[:, 1])
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    threshold = cut[min(np.argmax(f1), len(cut) - 1)]
    proba = model.predict_proba(x.iloc[b:])[:, 1]
    return {
        "rows": len(x),
        "f1": f1_score(y[b:], proba >= threshold, zero_division=0),
        "brier": brier_score_loss(y[b:], proba),
    }


def main(url, way):
    with psycopg2.connect(url) as connection:
        totals = {"frame": totals_by_frame, "cursor": totals_by_cursor}[way](connection)
    x, y = columns(totals)
    print(json.dumps({"snapshots": len(totals), **train(x, y)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
