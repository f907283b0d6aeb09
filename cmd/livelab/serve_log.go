package main

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"livelab/runtime/loader"
	"livelab/runtime/predlog"
	"livelab/runtime/predlog/spool"
	"livelab/runtime/shadow"
)

// noSpool is the value of --spool for none.
const noSpool = "none"

// logFlags say how predictions are logged.
type logFlags struct {
	on    bool
	spool string
	size  uint32 // MiB
	full  string
	sync  time.Duration
	keep  days
}

func (f *logFlags) add(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.BoolVar(&f.on, "log-predictions", true, "store every prediction that is answered; without them no live quality can be measured")
	fl.StringVar(&f.spool, "spool", "", "`folder` where answered predictions wait for the store, or none to have them wait in memory; one for servers of one store: what is in it goes to the store of whoever takes it over (default: beside the store)")
	fl.Uint32Var(&f.size, "spool-size", 1024, "`MiB` that the spool may use")
	fl.StringVar(&f.full, "spool-full", string(spool.DropOldest), "which predictions are lost when the spool is full: the oldest or the newest")
	fl.DurationVar(&f.sync, "log-sync", time.Second, "how often the spool is synced to the disk, which is what a loss of power can cost; 0 to sync before each answer")
	fl.Var(&f.keep, "keep-predictions", "how long logged predictions are kept, as in 90d or 36h; 0 for ever")
}

// check refuses values that no writer takes.
func (f *logFlags) check() error {
	if err := oneOf("spool-full", f.full, string(spool.DropOldest), string(spool.DropNewest)); err != nil {
		return err
	}
	switch {
	case f.size == 0:
		return usageError("--spool-size is 0, must be at least 1; --spool none does without a spool")
	case f.sync < 0:
		return usageError("--log-sync is %s, must not be negative", f.sync)
	case f.keep < 0:
		return usageError("--keep-predictions is %s, must not be negative", time.Duration(f.keep))
	}
	return nil
}

// newLogs sets up the log of predictions and the shadow that logs to it. Both
// are nil where predictions are not logged: then no folder is taken either, and
// what waits in one stays there.
func (a *app) newLogs(f logFlags, models *loader.Set, s store, registry prometheus.Registerer) (*predlog.Writer, *shadow.Shadow, error) {
	if err := f.check(); err != nil || !f.on {
		return nil, nil, err
	}
	log, err := a.newLog(f, s, registry)
	if err != nil {
		return nil, nil, err
	}
	beside, err := shadow.New(shadow.Config{Challenger: models.Challenger, Log: log, Registerer: registry})
	if err != nil {
		return nil, nil, err
	}
	return log, beside, nil
}

// newLog sets up the log of predictions. It takes the spool's folder.
func (a *app) newLog(f logFlags, s store, registry prometheus.Registerer) (*predlog.Writer, error) {
	cfg := predlog.Config{
		Store: s, Sync: f.sync, Keep: time.Duration(f.keep), Logger: a.log, Registerer: registry,
		Spool: spool.Config{Dir: f.spool, MaxBytes: int64(f.size) << 20, Full: spool.Policy(f.full)},
	}
	if f.sync == 0 {
		cfg.Sync = -1
	}
	switch f.spool {
	case noSpool:
		cfg.Spool.Dir = ""
	case "":
		cfg.Spool.Dir = a.defaultSpool()
	}
	return predlog.NewWriter(cfg)
}

// defaultSpool is a folder for this store alone: what waits in it must not
// reach another one. That of PostgreSQL is in the current folder.
func (a *app) defaultSpool() string {
	if a.databaseURL == "" {
		return a.store + ".spool"
	}
	cfg, err := pgx.ParseConfig(a.databaseURL)
	if err != nil { // then the store was not opened either
		return "livelab.spool"
	}
	parts := []string{cfg.Host, strconv.Itoa(int(cfg.Port)), cmp.Or(cfg.Database, cfg.User)}
	for _, setting := range []string{"search_path", "options"} { // they choose the schema
		if value := cfg.RuntimeParams[setting]; value != "" {
			parts = append(parts, value)
		}
	}
	return filepath.Join(".", "livelab-"+fileName(strings.Join(parts, "-"))+".spool")
}

// longName is how many bytes of a text fileName takes over.
const longName = 100

// fileName makes a text the name of a file. What a name cannot have is
// replaced, and then a checksum keeps different texts apart.
func fileName(text string) string {
	safe := strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_.", r)) {
			return r
		}
		return '_'
	}, text)
	if safe == text && len(safe) <= longName {
		return safe
	}
	sum := sha256.Sum256([]byte(text))
	return fmt.Sprintf("%.*s-%x", longName, safe, sum[:4])
}

// days is a duration that may be given in days.
type days time.Duration

func (d *days) String() string {
	if whole := time.Duration(*d) / (24 * time.Hour); whole > 0 && time.Duration(*d)%(24*time.Hour) == 0 {
		return strconv.FormatInt(int64(whole), 10) + "d"
	}
	return time.Duration(*d).String()
}

func (d *days) Set(text string) error {
	if number, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(number, 10, 16)
		if err != nil {
			return err
		}
		*d = days(time.Duration(n) * 24 * time.Hour)
		return nil
	}
	got, err := time.ParseDuration(text)
	*d = days(got)
	return err
}

func (*days) Type() string { return "duration" }
