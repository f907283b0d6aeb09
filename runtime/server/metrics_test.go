package server

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestMetricsWhileTheStoreHangs shows all that needs no store, before whoever
// collects it has given up.
func TestMetricsWhileTheStoreHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := setup(t, func(_ *Config, d *Deps) {
			d.Status = func(ctx context.Context) Status {
				<-ctx.Done()
				return Status{Store: ctx.Err()}
			}
		})
		start := time.Now()
		w := do(s.Handler(), "GET", "/metrics", "")
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("it took %v", took)
		}
		if w.Code != 200 || !strings.Contains(w.Body.String(), "model_loaded 1") || strings.Contains(w.Body.String(), "livelab_data_newest") {
			t.Errorf("%d: %s", w.Code, w.Body)
		}
	})
}
