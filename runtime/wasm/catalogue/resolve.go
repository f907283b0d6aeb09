package catalogue

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"livelab/pipeline/features"
	"livelab/plugins/abi"
)

// shownDigest is how many digits of a digest tell transforms of one name apart
// in a text; minDigest is how many must be given.
const (
	shownDigest = 12
	minDigest   = 4
)

// Entry is a plugin as it is listed. Name and what follows it are those of what
// is offered, and empty where nothing is.
type Entry struct {
	File    string    `json:"file"`
	Shipped bool      `json:"shipped"` // it comes with the program
	State   State     `json:"state"`
	Reason  string    `json:"reason,omitempty"` // of a refusal, or what is to be known of the state
	Since   time.Time `json:"since"`            // of the state, UTC, whole seconds
	Size    int64     `json:"size"`             // bytes

	// Available says that Resolve finds it: in the state offered, and while a
	// replacement waits or is checked.
	Available bool         `json:"available"`
	Name      string       `json:"name"`
	Version   string       `json:"version"`
	Digest    string       `json:"digest"`
	Doc       string       `json:"doc,omitempty"`
	Inputs    []string     `json:"inputs"`
	Outputs   []abi.Output `json:"outputs"`
}

// Listing is all that is known at one time.
type Listing struct {
	Plugins []Entry `json:"plugins"`           // those of the folder by file, then the shipped ones
	Skipped int     `json:"skipped,omitempty"` // files of the folder that are too many to be looked at
	Problem string  `json:"problem,omitempty"` // with the folder
}

// List gives all that is known.
func (c *Catalogue) List() Listing {
	c.mu.RLock()
	defer c.mu.RUnlock()
	l := Listing{Plugins: []Entry{}, Skipped: c.skipped, Problem: c.problem}
	for p := range c.all() {
		l.Plugins = append(l.Plugins, c.entry(p))
	}
	slices.SortStableFunc(l.Plugins, func(a, b Entry) int {
		if a.Shipped != b.Shipped {
			return after(a.Shipped)
		}
		return strings.Compare(a.File, b.File)
	})
	return l
}

// Entries lists the plugins: those of the folder by file, then the shipped ones.
func (c *Catalogue) Entries() []Entry { return c.List().Plugins }

func after(yes bool) int {
	if yes {
		return 1
	}
	return -1
}

func (c *Catalogue) entry(p *plugin) Entry {
	e := Entry{
		File: p.file, Shipped: p.shipped, State: p.state, Reason: p.reason, Since: p.since, Size: p.size,
		Inputs: []string{}, Outputs: []abi.Output{},
	}
	if p.offer.Transform == nil {
		return e
	}
	spec := p.offer.Transform.Spec()
	e.Available, e.Name, e.Version, e.Digest = true, spec.Name, spec.Version, spec.Digest
	e.Inputs = append(e.Inputs, spec.Inputs...)
	e.Doc, e.Outputs = p.offer.Description.Doc, append(e.Outputs, p.offer.Description.Outputs...)
	if q := c.meaning(spec.Name); e.Reason == "" && q != nil && q.offer.Transform.Spec().Digest != spec.Digest {
		e.Reason = fmt.Sprintf("the name %s means %q of the folder; this one is %s", spec.Name, q.file, reference(p))
	}
	return e
}

// Resolve finds a transform by name, as the package says what a name means, or
// by name@digest with the beginning of its digest. It stays usable whatever
// becomes of its file.
func (c *Catalogue) Resolve(reference string) (features.Transform, error) {
	name, digest, byDigest := strings.Cut(reference, "@")
	if byDigest && len(digest) < minDigest {
		return nil, fmt.Errorf("the transform %q: give at least %d digits of the digest after the @", reference, minDigest)
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	found := c.named(name)
	if byDigest {
		found = slices.DeleteFunc(found, func(p *plugin) bool {
			return !strings.HasPrefix(p.offer.Transform.Spec().Digest, digest)
		})
	} else {
		found = candidates(name, found)
	}
	if len(found) == 0 {
		return nil, c.unknown(reference, name)
	}
	for _, p := range found[1:] {
		if p.offer.Transform.Spec().Digest != found[0].offer.Transform.Spec().Digest {
			return nil, ambiguous(reference, found)
		}
	}
	return found[0].offer.Transform, nil
}

// named lists what is offered under a name, by file, shipped ones last.
func (c *Catalogue) named(name string) []*plugin {
	var found []*plugin
	for p := range c.all() {
		if t := p.offer.Transform; t != nil && t.Spec().Name == name {
			found = append(found, p)
		}
	}
	slices.SortFunc(found, func(a, b *plugin) int {
		if a.shipped != b.shipped {
			return after(a.shipped)
		}
		return strings.Compare(a.file, b.file)
	})
	return found
}

// candidates are those of a name's plugins that a reference by name alone may
// mean: the file that is called like it, else the folder's, else the shipped.
func candidates(name string, found []*plugin) []*plugin {
	var ofFolder []*plugin
	for _, p := range found {
		switch {
		case p.shipped:
		case p.file == fileOf(name):
			return []*plugin{p}
		default:
			ofFolder = append(ofFolder, p)
		}
	}
	if len(ofFolder) > 0 {
		return ofFolder
	}
	return found
}

// meaning is the file of the folder that a name stands for whatever else offers
// it, nil for none.
func (c *Catalogue) meaning(name string) *plugin {
	found := candidates(name, c.named(name))
	if len(found) == 0 || found[0].shipped {
		return nil
	}
	for _, p := range found[1:] {
		if p.offer.Transform.Spec().Digest != found[0].offer.Transform.Spec().Digest {
			return nil
		}
	}
	return found[0]
}

// decided reports whether each reference, of which there are some, means the
// same whatever is still to be judged.
func (c *Catalogue) decided(references []string) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	pending := slices.ContainsFunc(slices.Collect(maps.Values(c.files)), (*plugin).pending)
	for _, reference := range references {
		name, digest, byDigest := strings.Cut(reference, "@")
		known := func(p *plugin) bool {
			if byDigest {
				return p.offer.Transform.Spec().Digest == digest
			}
			return p.state == Offered && p.file == fileOf(name) && (!p.shipped || !pending)
		}
		if !slices.ContainsFunc(c.named(name), known) {
			return false
		}
	}
	return len(references) > 0
}

// fileOf is what the file of a name is called.
func fileOf(name string) string { return name + ".wasm" }

func (c *Catalogue) all() iter.Seq[*plugin] {
	return func(yield func(*plugin) bool) {
		for _, p := range c.files {
			if !yield(p) {
				return
			}
		}
		for _, p := range c.shipped {
			if !yield(p) {
				return
			}
		}
	}
}

// shownNames bounds the list in an error.
const shownNames = 16

func (c *Catalogue) unknown(reference, name string) error {
	var names []string
	for p := range c.all() {
		switch t := p.offer.Transform; {
		case t != nil:
			names = append(names, t.Spec().Name)
		case p.file == fileOf(name) && p.state == Refused:
			return fmt.Errorf("the transform %q is not offered, %s is refused: %s", reference, p.file, p.reason)
		case p.file == fileOf(name):
			return fmt.Errorf("the transform %q is not offered yet, %s is %s: try again in a moment", reference, p.file, p.state)
		}
	}
	if len(names) == 0 {
		return fmt.Errorf("there is no transform %q: no transform is offered at all; see `livelab plugin list`", reference)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if more := len(names) - shownNames; more > 0 {
		names = append(names[:shownNames], fmt.Sprintf("and %d more", more))
	}
	return fmt.Errorf("there is no transform %q: offered are %s; see `livelab plugin list`", reference, strings.Join(names, ", "))
}

func ambiguous(reference string, found []*plugin) error {
	var ways []string
	for _, p := range found[:min(len(found), shownNames)] {
		ways = append(ways, referenceOf(p))
	}
	return fmt.Errorf("the transform %q is offered by %d files: name one as %s", reference, len(found), strings.Join(ways, " or "))
}

// reference names what a plugin offers and nothing else.
func reference(p *plugin) string {
	spec := p.offer.Transform.Spec()
	return spec.Name + "@" + spec.Digest[:min(len(spec.Digest), shownDigest)]
}

func referenceOf(p *plugin) string { return fmt.Sprintf("%s (%q)", reference(p), p.file) }
