package server

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"livelab/pipeline/publish"
	"livelab/runtime/loader"
)

func TestModelThatCannotBeServed(t *testing.T) {
	t.Parallel()
	failure := func(version string, err error) *loader.Failure {
		return &loader.Failure{Version: version, Err: err, At: noon}
	}
	broken := failure("v7", errors.New("version v7: transform calendar: the disk is full"))
	const told = "the published version v7 cannot be served: transform calendar: the disk is full (tried at 2026-05-11T12:00:00Z)"
	for name, tt := range map[string]struct {
		failure *loader.Failure
		loaded  bool
		predict string // in the answer of /predict
		health  string // model_error of /health, empty for none
	}{
		"nothing was tried":       {nil, false, "no model version is published yet", ""},
		"nothing is published":    {failure("", fmt.Errorf("alias: %w", publish.ErrNotFound)), false, "no model version is published yet", ""},
		"published, not loaded":   {broken, false, told, told},
		"named, not there":        {failure("v7", fmt.Errorf("open its folder: %w", publish.ErrNotFound)), false, "the published version v7 cannot be served: open its folder", "the published version v7 cannot be served: open its folder"},
		"the registry is gone":    {failure("", fmt.Errorf("alias: %w", publish.ErrNotFound)), true, `"version":"v1"`, "what is published cannot be served: alias"},
		"the alias is broken":     {failure("", errors.New("it is no JSON")), false, "what is published cannot be served: it is no JSON", "what is published cannot be served: it is no JSON"},
		"another one serves on":   {broken, true, `"version":"v1"`, told},
		"unloaded":                {failure("v7", loader.ErrUnloaded), false, "the model v7 was unloaded at 2026-05-11T12:00:00Z and stays out of service until it is asked for: POST /reload_model", "was unloaded"},
		"all is well":             {nil, true, `"version":"v1"`, ""},
		"a path of this machine":  {failure("v7", &fs.PathError{Op: "open", Path: "/srv/secret/model.json", Err: fs.ErrPermission}), false, "open model.json: permission denied", "open model.json: permission denied"},
		"a path that is rendered": {failure("v7", errors.New(`written to /srv/secret/a: full; nor "/tmp/secret/b"`)), false, "written to (a path): full", "written to (a path): full"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := setup(t)
			s.models.failure = tt.failure
			status := 200
			if !tt.loaded {
				s.models.current, status = nil, 503
			}
			predict, health := do(s.Handler(), "POST", "/predict", ""), do(s.Handler(), "GET", "/health", "")
			if body := predict.Body.String(); predict.Code != status || !strings.Contains(body, tt.predict) || strings.Contains(body, "secret") {
				t.Errorf("/predict: %d %s, want %d with %q", predict.Code, body, status, tt.predict)
			}
			body := health.Body.String()
			if strings.Contains(body, "model_error") != (tt.health != "") || !strings.Contains(body, tt.health) || strings.Contains(body, "secret") {
				t.Errorf("/health: %s, want %q", body, tt.health)
			}
			if tt.failure != nil && tt.predict == told && !strings.Contains(s.logged.String(), "the disk is full") {
				t.Error("the log does not say why")
			}
		})
	}
}
