package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/viper"
)

// DefaultFile is the file that Load reads in the working directory when Sources.File is empty.
const DefaultFile = "ilium.yaml"

const (
	environPrefix = "ILIUM_"
	maxFileSize   = MiB
)

// Sources are the places a configuration is read from, in rising order. The zero Sources reads
// [DefaultFile] alone, if it exists.
type Sources struct {
	File    string   // YAML file that must exist; empty: DefaultFile, which need not
	Environ []string // NAME=value as from os.Environ; only names that begin with ILIUM_ are looked at; of two equal ones the last holds
	Set     []string // name=value as from --set; of two for one name the last holds
}

// Loaded is a valid configuration and the origin of each of its values.
type Loaded struct {
	Config   Config
	Settings []Value // every supported setting, in the order of the reference
}

// Value is the effective value of one setting.
type Value struct {
	Setting  string        // its name
	Text     string        // the value in canonical form, as a YAML scalar
	Source   Source        // where it came from
	OnlyWith CommitlogSync // not empty: the setting has no effect, it is used with this commitlog_sync only
}

// Load reads the configuration from its sources, checks it and returns it with the origin of each
// value. The error joins a *[Problem] for every mistake found in any source.
func Load(sources Sources) (*Loaded, error) {
	r := newReader()
	r.readFile(sources.File)
	r.readEnviron(sources.Environ)
	r.readSet(sources.Set)
	return r.finish()
}

// reader gathers values from one source after the other. viper decides which of them holds; each
// source is checked as soon as viper has it, so that a mistake in it shows even if a later source
// replaces the value.
type reader struct {
	viper    *viper.Viper
	yaml     *strictYAML
	config   Config
	from     map[string]Source // of every setting that is not a default
	problems []*Problem
}

func newReader() *reader {
	y := &strictYAML{}
	v := viper.NewWithOptions(viper.WithDecoderRegistry(y))
	v.SetConfigType("yaml")
	for _, s := range settings {
		if !s.reserved {
			v.SetDefault(s.name, s.def)
		}
	}
	return &reader{viper: v, yaml: y, config: Default(), from: map[string]Source{}}
}

// read checks the value that viper now holds for s, which source has just set, and takes it over.
func (r *reader) read(s *setting, source Source) {
	r.from[s.name] = source
	if err := s.read(&r.config, r.viper.GetString(s.name)); err != nil {
		r.fail(source, s.name, err.Error())
	}
	if s.reserved {
		r.fail(source, s.name, "not supported yet: this version serves the embedded API, the command line, the CQL native protocol and HTTP for operators")
	}
}

func (r *reader) fail(source Source, name, message string) {
	r.problems = append(r.problems, &Problem{Source: source, Setting: name, Message: message})
}

func (r *reader) readFile(name string) {
	explicit := name != ""
	if !explicit {
		name = DefaultFile
	}
	data, mode, err := readLimited(name)
	if errors.Is(err, fs.ErrNotExist) && !explicit {
		return
	}
	if err != nil {
		r.fail(Source{Name: name}, "", "cannot read the configuration file: "+err.Error())
		return
	}
	r.readYAML(name, data)
	if err := checkSecretMode(mode); err != nil {
		for _, entry := range r.yaml.lines {
			if lookup(entry.name).secret() {
				r.fail(r.yaml.source(entry.line), entry.name, "cannot be in this file: "+err.Error())
			}
		}
	}
}

func (r *reader) readYAML(name string, data []byte) {
	r.yaml.file = name
	if err := r.viper.ReadConfig(bytes.NewReader(data)); err != nil {
		r.fail(Source{Name: name}, "", err.Error())
		return
	}
	for _, entry := range r.yaml.lines {
		r.read(lookup(entry.name), r.yaml.source(entry.line))
	}
	r.problems = append(r.problems, r.yaml.problems...)
	slices.SortStableFunc(r.problems, func(a, b *Problem) int { return a.Source.Line - b.Source.Line })
}

// readEnviron merges variables over the file. viper could look them up itself, but only in the
// environment of the process, which tests and several nodes in one process share.
func (r *reader) readEnviron(environ []string) {
	for _, entry := range environ {
		variable, value, _ := strings.Cut(entry, "=")
		suffix, ours := strings.CutPrefix(variable, environPrefix)
		if !ours {
			continue
		}
		source := Source{Name: variable}
		s := lookup(strings.ToLower(suffix))
		if s == nil || s.variable() != variable {
			p := unknown(source, suffix, setting.variable)
			p.Setting = "" // the variable names it
			r.problems = append(r.problems, p)
			continue
		}
		if err := r.viper.MergeConfigMap(map[string]any{s.name: value}); err != nil {
			r.fail(source, s.name, err.Error())
			continue
		}
		r.read(s, source)
	}
}

func (r *reader) readSet(pairs []string) {
	source := Source{Name: "--set"}
	for _, pair := range pairs {
		name, value, found := strings.Cut(pair, "=")
		if !found || name == "" {
			r.fail(source, "", fmt.Sprintf("%s is not in the form name=value", quote(pair)))
			continue
		}
		s := lookup(name)
		if s == nil {
			r.problems = append(r.problems, unknown(source, name, func(s setting) string { return s.name }))
			continue
		}
		if s.secret() { // arguments show in the list of processes
			r.fail(source, name, fmt.Sprintf("every user of the machine can read it there: give it by a file or by %s", s.variable()))
			continue
		}
		r.viper.Set(name, value)
		r.read(s, source)
	}
}

// finish checks how the values go together and returns them, or all problems joined.
func (r *reader) finish() (*Loaded, error) {
	faulty := map[string]bool{}
	problems := make([]error, len(r.problems))
	for i, p := range r.problems {
		faulty[p.Setting] = true
		problems[i] = p
	}
	problems = append(problems, checkCombinations(&r.config, r.from, faulty)...)
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	loaded := &Loaded{Config: r.config}
	for _, s := range settings {
		if s.reserved {
			continue
		}
		value := Value{Setting: s.name, Text: s.format(&r.config), Source: sourceOf(r.from, s.name)}
		if s.onlyWith != r.config.CommitlogSync {
			value.OnlyWith = s.onlyWith
		}
		loaded.Settings = append(loaded.Settings, value)
	}
	return loaded, nil
}
