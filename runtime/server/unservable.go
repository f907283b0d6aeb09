package server

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"

	"livelab/pipeline/publish"
	"livelab/runtime/loader"
)

// unservable is why what is published could not be loaded. It is nil where the
// last load went well or nothing has been published yet. A version that is named
// and not there, or a registry that is gone beneath the model in service, is
// something else: somebody is to look.
func (s *Server) unservable() *loader.Failure {
	f := s.deps.Models.Failure()
	if f != nil && errors.Is(f.Err, publish.ErrNotFound) && f.Version == "" && s.deps.Models.Current() == nil {
		return nil
	}
	return f
}

// noModel says why no model is in service.
func (s *Server) noModel() *Problem {
	if f := s.unservable(); f != nil {
		return noModel.problem("%s", failureText(f)).because(f.Err)
	}
	return noModel.problem("no model version is published yet; train and publish one, or wait for `livelab up` to do so")
}

func failureText(f *loader.Failure) string {
	if errors.Is(f.Err, loader.ErrUnloaded) {
		return fmt.Sprintf("%s at %s and stays out of service until it is asked for: POST /reload_model, or load it by /v2/repository",
			strings.TrimSpace("the model "+f.Version)+" was unloaded", *stamp(f.At))
	}
	what := "the published version " + f.Version
	if f.Version == "" {
		what = "what is published"
	}
	reason := strings.TrimPrefix(withoutPaths(f.Err), "version "+f.Version+": ")
	return fmt.Sprintf("%s cannot be served: %s (tried at %s)", what, reason, *stamp(f.At))
}

// absolutePath is where a file of this machine lies.
var absolutePath = regexp.MustCompile(`(^|[\s"'(=:,])(?:/|[A-Za-z]:[\\/])[^\s"'():,;]+`)

// withoutPaths tells an error to anybody: where the files of this machine lie
// is for its log.
func withoutPaths(err error) string {
	text := err.Error()
	var path *fs.PathError
	if errors.As(err, &path) && path.Path != "" {
		text = strings.ReplaceAll(text, path.Path, filepath.Base(path.Path))
	}
	return absolutePath.ReplaceAllString(text, "${1}(a path)")
}
