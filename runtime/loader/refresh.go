package loader

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"livelab/pipeline/publish"
)

// How long a version that could not be loaded is left alone before it is tried
// again: what kept it from serving, such as a disk that was away or a copy that
// brought the alias before the files, may be over. It is retrySoon after the
// first failure and twice as long after each further one, up to the others.
const (
	retrySoon  = 5 * time.Second
	retryFirst = 30 * time.Second // while nothing serves
	retryNewer = 5 * time.Minute  // while another version serves on
)

// attempt is a load that failed.
type attempt struct {
	target publish.Step
	at     time.Time
	err    error
	wait   time.Duration // until the next one, where nothing keeps it shorter
}

// then is the attempt after this one.
func (a attempt) then(target publish.Step, at time.Time, err error) attempt {
	wait := retrySoon
	if a.wait > 0 && target.Version == a.target.Version && target.Digest == a.target.Digest {
		wait = min(2*a.wait, retryNewer)
	}
	return attempt{target: target, at: at, err: err, wait: wait}
}

// refresh loads what the alias points to where that is news, and now and then
// what could not be loaded. It leaves alone what was unloaded, and what another
// load is busy with. A failure is logged once for each reason.
func (l *Loader) refresh(ctx context.Context) {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
		l.look(ctx)
	default:
	}
}

// refreshNow is refresh for who waits for its turn, and for what comes of it.
func (l *Loader) refreshNow(ctx context.Context) error {
	if err := l.wait(ctx); err != nil {
		return err
	}
	l.look(ctx)
	<-l.turn
	if f := l.Failure(); f != nil {
		return fmt.Errorf("reload %s: %w", l.cfg.Model, f.Err)
	}
	return ctx.Err()
}

// look is refresh for who has the turn.
func (l *Loader) look(ctx context.Context) {
	l.mu.Lock()
	out, unloads := l.out, l.unloads
	l.mu.Unlock()
	if out {
		return
	}
	said := l.failed.Load()
	target, err := l.target(ctx)
	switch {
	case errors.Is(err, publish.ErrNotFound) && l.ended():
		return
	case err == nil && l.serves(target):
		l.settle(unloads)
		return
	case err == nil && !l.due(target):
		return
	case err == nil:
		var next *Loaded
		if next, err = l.load(ctx, target); err == nil {
			_, _, err = l.swap(next, unloads)
		}
	}
	if err == nil || errors.Is(err, ErrUnloaded) || ctx.Err() != nil {
		return
	}
	if err = l.fail(ctx, unloads, target, err); said == nil || said.Err.Error() != err.Error() {
		l.warn(err)
	}
}

// serves reports whether a version is in service already.
func (l *Loader) serves(target publish.Step) bool {
	now := l.current.Load()
	return now != nil && now.Version == target.Version && (target.Digest == "" || now.Digest == target.Digest)
}

// due reports whether a version is to be tried, for the first time or again.
func (l *Loader) due(target publish.Step) bool {
	if l.failed.Load() == nil || l.last.target.Version != target.Version || l.last.target.Digest != target.Digest {
		return true
	}
	wait := l.last.wait
	if l.current.Load() == nil {
		wait = min(wait, retryFirst)
	}
	return l.cfg.Now().Sub(l.last.at) >= wait
}

// settle forgets a failure that is over: the registry names what serves.
func (l *Loader) settle(unloads int) {
	if l.failed.Load() == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.unloads == unloads {
		l.failed.Store(nil)
		l.cfg.Logger.Info("the registry names the model in service again", slog.String("model", l.cfg.Model), slog.String("as", l.role()))
	}
}

// ended handles an alias that is not there. That is how a challenge ends, and
// how things are before the first model; that of a champion in service was lost.
func (l *Loader) ended() bool {
	if l.cfg.Alias != publish.Challenger {
		f := l.failed.Load()
		return l.current.Load() == nil && f != nil && errors.Is(f.Err, publish.ErrNotFound)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed.Store(nil)
	if before := l.current.Swap(nil); before != nil {
		l.cfg.Logger.Info("the challenge has ended", slog.String("model", l.cfg.Model), slog.String("version", before.Version))
	}
	return true
}

func (l *Loader) warn(err error) {
	text := "the published model cannot serve yet; it is tried again"
	version := ""
	if now := l.current.Load(); now != nil {
		text, version = "what the registry names cannot be loaded; the model before serves on", now.Version
	}
	l.cfg.Logger.Warn(text, slog.String("model", l.cfg.Model), slog.String("as", l.role()),
		slog.String("serves", version), slog.Any("error", err))
}
