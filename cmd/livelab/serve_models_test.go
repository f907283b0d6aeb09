package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// version that an alias of the default model names.
func (s shell) alias(t *testing.T, alias string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(s.dir, "artifacts", "network-shortage", "aliases", alias))
	if err != nil {
		t.Fatal(err)
	}
	var a struct {
		Version string `json:"version"`
	}
	if err := json.Unmarshal(b, &a); err != nil {
		t.Fatal(err)
	}
	return a.Version
}

func (p *process) wantVersion(t *testing.T, version string) {
	t.Helper()
	eventually(t, "version "+version, func() bool {
		a := p.post(t, "/predict", classicBody)
		if version == "" {
			return a.status == 503
		}
		return a.json["version"] == version
	})
}

// frozen is a shell with a dataset and two versions, the first one published.
func frozen(t *testing.T, env ...string) (s shell, first, second string) {
	t.Helper()
	s = newShell(t, env...)
	s.must(t, "dataset", "--source", "sim", "--days", "45", "--out", "frozen")
	s.must(t, "train", "--dataset", "frozen")
	s.must(t, "publish", "--force")
	s.must(t, "train", "--dataset", "frozen", "--features", "classic")
	return s, s.alias(t, "champion"), s.alias(t, "latest")
}

// TestServeWatchesTheRegistry promotes, rolls back and spoils while a server
// runs that nobody tells anything.
func TestServeWatchesTheRegistry(t *testing.T) {
	t.Parallel()
	s, first, second := frozen(t)
	p := s.start(t, "serve", "--watch", "50ms", "--load", "network-shortage@"+second)
	p.wantVersion(t, first)
	eventually(t, "what --load names", func() bool {
		return p.get(t, "/v2/models/network-shortage/versions/"+second+"/ready").status == 200
	})
	s.must(t, "publish", "--force", "--version", second)
	p.wantVersion(t, second)
	s.must(t, "models", "rollback")
	p.wantVersion(t, first)

	spoilVersion(t, s, second)
	s.must(t, "train", "--dataset", "frozen", "--c", "0.5")
	third := s.alias(t, "latest")
	s.must(t, "publish", "--force")
	p.wantVersion(t, third)
	spoilVersion(t, s, third)
	p.post(t, "/reload_model", "").want(t, 503, "detail", "version")
	p.wantVersion(t, third)
	if text := p.get(t, "/metrics").body; !strings.Contains(text, `livelab_model_last_reload_successful{model="network-shortage",role="champion"} 0`) ||
		!strings.Contains(text, `livelab_model_loaded_info{model="network-shortage",role="pinned",version="`+second+`"} 1`) {
		t.Error("the metrics do not tell of the models")
	}

	// Unloaded, it stays out until it is asked for.
	s.must(t, "models", "rollback")
	p.wantVersion(t, first)
	p.post(t, "/v2/repository/models/network-shortage/unload", "").want(t, 200)
	a := p.post(t, "/predict", classicBody)
	a.want(t, 503, "detail")
	if !strings.Contains(a.body, first+" was unloaded") || !strings.Contains(a.body, "POST /reload_model") {
		t.Errorf("unloaded: %s", a.body)
	}
	s.must(t, "train", "--dataset", "frozen", "--c", "0.25")
	s.must(t, "publish", "--force")
	p.post(t, "/predict", classicBody).want(t, 503)
	p.post(t, "/reload_model", "").want(t, 200)
	p.wantVersion(t, s.alias(t, "champion"))
	p.stop(t)
}

func spoilVersion(t *testing.T, s shell, version string) {
	t.Helper()
	spoilFile(t, filepath.Join(s.dir, "artifacts", "network-shortage", "versions", version, "model.json"))
}

// spoilFile changes a byte in the middle of a file.
func spoilFile(t *testing.T, file string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestChallengerAnswersBeside names a challenger while a server runs: what
// clients are answered stays as it was, and the log has both.
func TestChallengerAnswersBeside(t *testing.T) {
	t.Parallel()
	s, first, second := frozen(t)
	p := s.start(t, "serve", "--watch", "50ms")
	p.wantVersion(t, first)
	bare := p.post(t, "/predict", classicBody)
	s.must(t, "models", "challenge", second)
	eventually(t, "the challenger", func() bool {
		return strings.Contains(p.get(t, "/metrics").body, `role="challenger",version="`+second)
	})
	const asked = 20
	for range asked {
		a := p.post(t, "/predict", classicBody)
		a.want(t, 200, "prediction_id")
		if a.json["version"] != first || a.json["proba"] != bare.json["proba"] {
			t.Errorf("with a challenger the answer is %s, was %s", a.body, bare.body)
		}
	}
	counted := regexp.MustCompile(`livelab_shadow_predictions_total\{model_version="` + second + `"\} (\d+)`)
	eventually(t, "the shadow's predictions", func() bool {
		m := counted.FindStringSubmatch(p.get(t, "/metrics").body)
		return m != nil && m[1] == fmt.Sprint(asked)
	})
	s.must(t, "models", "challenge", "--end")
	eventually(t, "the end of the challenge", func() bool {
		return !strings.Contains(p.get(t, "/metrics").body, `role="challenger",version=`)
	})
	p.post(t, "/predict", classicBody).want(t, 200)
	p.stop(t)
	wantPairs(t, filepath.Join(s.dir, "livelab.db"), asked)
}

// wantPairs checks that the log has so many predictions of a challenger, each
// beside the one that was served: at the same time, of the same request, with
// an ID that differs in the last digit alone.
func wantPairs(t *testing.T, file string, want int) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+file+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var shadows, pairs int
	err = db.QueryRow(`SELECT count(*), count(s.id) FROM prediction_log c LEFT JOIN prediction_log s
		ON s.role = 'served' AND s.ts = c.ts AND s.request_id = c.request_id AND s.id <> c.id
		AND substr(s.id, 1, 35) = substr(c.id, 1, 35) AND s.model_version <> c.model_version
		WHERE c.role = 'shadow'`).Scan(&shadows, &pairs)
	if err != nil || shadows != want || pairs != want {
		t.Errorf("the log has %d predictions of a challenger, %d of them beside a served one, want %d (%v)", shadows, pairs, want, err)
	}
}
