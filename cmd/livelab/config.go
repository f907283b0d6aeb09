package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// configFile is read from the current folder when it is there.
const configFile = "livelab.yaml"

// classicVariables are names of settings that are understood beside
// LIVELAB_<FLAG>, after it.
var classicVariables = map[string]string{
	"database-url":  "DATABASE_URL",
	"network":       "BIKE_NETWORK_ID",
	"latitude":      "LAT",
	"longitude":     "LON",
	"artifacts":     "ARTIFACT_DIR",
	"explain-token": "EXPLAIN_TOKEN",

	"openai-api-key":      "OPENAI_API_KEY",
	"openai-api-key-file": "OPENAI_API_KEY_FILE",
	"openai-model":        "OPENAI_MODEL",
	"openai-base-url":     "OPENAI_BASE_URL",
}

// configure gives every flag of the command that was not on the command line
// its value from the environment, then from the file.
func (a *app) configure(cmd *cobra.Command) error {
	file, err := a.readConfigFile(cmd)
	if err != nil {
		return err
	}
	var errs []error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Changed || f.Name == "config" || f.Name == "help" {
			return
		}
		value, from, ok := a.setting(f.Name, file)
		if !ok {
			return
		}
		if err := cmd.Flags().Set(f.Name, value); err != nil {
			errs = append(errs, usageError("%s is %q, must be %s", from, value, wanted(f.Value.Type(), err)))
		}
	})
	return errors.Join(errs...)
}

// wanted says what a setting of a type must be, where err says that it is not.
// Lists and texts take anything.
func wanted(kind string, err error) string {
	must, ok := map[string]string{
		"bool":     "true or false",
		"duration": "a duration such as 90s, 30m or 24h",
		"float64":  "a number such as 0.5",
		"int":      "a whole number",
		"int64":    "a whole number",
		"uint32":   "a whole number that is not negative",
	}[kind]
	switch {
	case !ok:
		return fmt.Sprintf("another: %v", err)
	case errors.Is(err, strconv.ErrRange):
		return must + ", and nearer to zero"
	}
	return must
}

// setting looks a flag up in the environment and then in the file, and says
// where it was found. An empty variable counts as not set.
func (a *app) setting(flag string, file map[string]string) (value, from string, ok bool) {
	variables := []string{"LIVELAB_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))}
	if classic, ok := classicVariables[flag]; ok {
		variables = append(variables, classic)
	}
	for _, v := range variables {
		if value, _ := a.getenv(v); value != "" {
			return value, "the variable " + v, true
		}
	}
	if flag == "database-url" {
		if url := a.postgresURL(); url != "" {
			return url, "the variables POSTGRES_…", true
		}
	}
	value, ok = file[flag]
	return value, fmt.Sprintf("%q in the configuration file", flag), ok
}

// postgresURL puts the classic POSTGRES_… variables together; empty where
// POSTGRES_HOST is not set.
func (a *app) postgresURL() string {
	get := func(name, otherwise string) string {
		if v, _ := a.getenv(name); v != "" {
			return v
		}
		return otherwise
	}
	host := get("POSTGRES_HOST", "")
	if host == "" {
		return ""
	}
	u := url.URL{
		Scheme: "postgres",
		Host:   net.JoinHostPort(host, get("POSTGRES_PORT", "5432")),
		Path:   "/" + get("POSTGRES_DB", "postgres"),
		User:   url.User(get("POSTGRES_USER", "postgres")),
	}
	if password := get("POSTGRES_PASSWORD", ""); password != "" {
		u.User = url.UserPassword(get("POSTGRES_USER", "postgres"), password)
	}
	return u.String()
}

// readConfigFile reads a YAML map from flag names to values. A key that no
// command has a flag for is an error; one that only other commands know is
// fine.
func (a *app) readConfigFile(cmd *cobra.Command) (map[string]string, error) {
	path, must := configFile, false
	if f := cmd.Flags().Lookup("config"); f != nil && f.Value.String() != "" {
		path, must = f.Value.String(), true
	} else if v, _ := a.getenv("LIVELAB_CONFIG"); v != "" {
		path, must = v, true
	}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && !must {
		return nil, nil
	}
	if err != nil {
		return nil, usageError("read the configuration: %w", err)
	}
	var values map[string]any
	if err := yaml.Unmarshal(b, &values); err != nil {
		return nil, usageError("read the configuration %s: %s; it holds lines such as `listen: 127.0.0.1:8080`", path, yaml.FormatError(err, false, false))
	}
	known := flagNames(cmd.Root())
	settings := make(map[string]string, len(values))
	for name, v := range values {
		if !slices.Contains(known, name) {
			return nil, usageError("the configuration %s sets %q, which no command has; see `livelab help`", path, name)
		}
		if list, ok := v.([]any); ok {
			settings[name] = joinValues(list)
			continue
		}
		settings[name] = fmt.Sprint(v)
	}
	return settings, nil
}

func joinValues(list []any) string {
	parts := make([]string, len(list))
	for i, v := range list {
		parts[i] = fmt.Sprint(v)
	}
	return strings.Join(parts, ",")
}

func flagNames(cmd *cobra.Command) []string {
	var names []string
	add := func(f *pflag.Flag) { names = append(names, f.Name) }
	cmd.Flags().VisitAll(add)
	cmd.PersistentFlags().VisitAll(add)
	for _, c := range cmd.Commands() {
		names = append(names, flagNames(c)...)
	}
	return names
}
