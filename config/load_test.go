package config

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// loadText reads text as the file c.yaml, then environ and set.
func loadText(text string, environ, set []string) (*Loaded, error) {
	r := newReader()
	r.readYAML("c.yaml", []byte(text))
	r.readEnviron(environ)
	r.readSet(set)
	return r.finish()
}

const (
	sizeForm     = "write a whole number and one of the units B, KiB, MiB or GiB, as in 16MiB"
	durationForm = "write a whole number and one of the units ns, us, ms, s, m, h or d, as in 10s"
)

// problemChecker returns a check that a file gives exactly these problems, in this order.
func problemChecker(t *testing.T) func(text string, want ...string) {
	return func(text string, want ...string) {
		t.Helper()
		if _, err := loadText(text, nil, nil); err == nil || err.Error() != strings.Join(want, "\n") {
			t.Errorf("%q\n got: %v\nwant: %s", text, err, strings.Join(want, "\n      "))
		}
	}
}

func TestUnknownNames(t *testing.T) {
	check := problemChecker(t)
	check("memory: 1GiB\nmemroy: 1GiB", "c.yaml:2: memroy: unknown setting; did you mean memory?")
	check("Memory: 1GiB", "c.yaml:1: Memory: unknown setting; did you mean memory?")
	check("num_tokenz: 16", "c.yaml:1: num_tokenz: unknown setting; did you mean num_tokens?")
	check("batch_size_warn_treshold_in: 1", "c.yaml:1: batch_size_warn_treshold_in: unknown setting; did you mean batch_size_warn_threshold?")
	check("a.b: 1", `c.yaml:1: "a.b": unknown setting`)
	check("~: 1", `c.yaml:1: "~": unknown setting`)
	check("<<: {memory: 1GiB}", `c.yaml:1: "<<": unknown setting`)
	check(strings.Repeat("x", 70)+": 1", `c.yaml:1: "`+strings.Repeat("x", 64)+`"...: unknown setting`)
}

func TestWrongValues(t *testing.T) {
	check := problemChecker(t)
	check("request_timeout: 10", `c.yaml:1: request_timeout: "10" has no unit: `+durationForm)
	check("request_timeout: 0", `c.yaml:1: request_timeout: "0" has no unit: `+durationForm)
	check("request_timeout: 1m30s", `c.yaml:1: request_timeout: "1m30s" is not a duration: `+durationForm)
	check("request_timeout: -1s", `c.yaml:1: request_timeout: "-1s" is not a duration: `+durationForm)
	check("request_timeout: 999999999d", `c.yaml:1: request_timeout: "999999999d" is too large`)
	check("memory: 1GB", `c.yaml:1: memory: "1GB" is not a size: `+sizeForm)
	check("memory: 1.5GiB", `c.yaml:1: memory: "1.5GiB" is not a size: `+sizeForm)
	check("memory: lots", `c.yaml:1: memory: "lots" is not a size: `+sizeForm)
	check("memory: 99999999999999999999GiB", `c.yaml:1: memory: "99999999999999999999GiB" is too large`)
	check("memory: true", `c.yaml:1: memory: "true" is not a size: `+sizeForm)
	check("compaction_throughput: 16MiB", `c.yaml:1: compaction_throughput: "16MiB" is not a rate: `+
		"write a whole number and one of the units B/s, KiB/s or MiB/s, as in 64MiB/s")
	check("page_size: 5k", `c.yaml:1: page_size: "5k" is not a whole number`)
	check("page_size: 1e3", `c.yaml:1: page_size: "1e3" is not a whole number`)
	check("page_size: 99999999999999999999", `c.yaml:1: page_size: "99999999999999999999" is too large`)
	check("commitlog_sync: none", `c.yaml:1: commitlog_sync: "none" is not one of group, periodic`)
	check("commitlog_sync: Group", `c.yaml:1: commitlog_sync: "Group" is not one of group, periodic`)
	check("commitlog_sync: batch", "c.yaml:1: commitlog_sync: batch is not available: "+
		"group already syncs every write before acknowledging it")
	check("cluster_name: ''", "c.yaml:1: cluster_name: must not be empty")
	check(`data_directory: "a\nb"`, `c.yaml:1: data_directory: "a\nb" contains a control character`)

	// out of range
	check("memory: 1MiB", "c.yaml:1: memory: 1MiB is out of range: allowed is at least 64MiB")
	check("page_size: 0", "c.yaml:1: page_size: 0 is out of range: allowed is 1 to 10000")
	check("page_size: 10001", "c.yaml:1: page_size: 10001 is out of range: allowed is 1 to 10000")
	check("write_request_timeout: 1ms", "c.yaml:1: write_request_timeout: 1ms is out of range: allowed is 10ms to 1d")
}

func TestMalformedFiles(t *testing.T) {
	check := problemChecker(t)
	// wrong shape
	check("memory: {max: 1GiB}", "c.yaml:1: memory: is a map: write one value")
	check("page_size:\n- 1\n", "c.yaml:1: page_size: is a list: write one value")
	check("memory:", "c.yaml:1: memory: has no value: leave the line out to get the default")
	check("memory: ~", "c.yaml:1: memory: has no value: leave the line out to get the default")
	check("memory: !!str 1GiB", `c.yaml:1: memory: has the YAML tag "!!str": tags are not supported`)
	check("- memory", "c.yaml:1: is not a list of settings: write name: value, one per line")
	check("\nmemory", "c.yaml:2: is not a list of settings: write name: value, one per line")
	check(`"": b`, "c.yaml:1: the name of a setting must be plain text")
	check("? [a]\n: b", "c.yaml:1: the name of a setting must be plain text")

	// duplicates
	check("rack: a\n\nrack: b\nrack: c", "c.yaml:3: rack: set twice; first on line 1", "c.yaml:4: rack: set twice; first on line 1")

	// not YAML
	check("memory: 1GiB\nrack: a: b", "c.yaml:2: YAML syntax: mapping values are not allowed in this context")
	check("rack: a: b", "c.yaml:1: YAML syntax: mapping values are not allowed in this context")
	check("memory: 1GiB\n- b", "c.yaml:2: YAML syntax: did not find expected key")
	check("memory: 1GiB\nrack: }", "c.yaml:2: YAML syntax: did not find expected node content")
	check("memory: 1GiB\nrack: *x", "c.yaml:2: YAML syntax: unknown anchor 'x' referenced")
	check("memory: 1GiB\n---\nrack: a", "c.yaml:2: a second YAML document: a configuration is one document")
	check("memory: 1GiB\n---\nrack: }", "c.yaml:3: YAML syntax: did not find expected node content")
	check("memory: 1GiB\nrack: \xff", "c.yaml:2: is not valid UTF-8")
	check("memory: 1GiB\nrack: \x00", "c.yaml:2: contains the control character U+0000")

	// several at once, in the order of the file
	check("memory: 1\nrak: a\npage_size: 0\nmemory: 1GiB\nrack:\n",
		`c.yaml:1: memory: "1" has no unit: `+sizeForm,
		"c.yaml:2: rak: unknown setting; did you mean rack?",
		"c.yaml:3: page_size: 0 is out of range: allowed is 1 to 10000",
		"c.yaml:4: memory: set twice; first on line 1",
		"c.yaml:5: rack: has no value: leave the line out to get the default")
}

func TestReserved(t *testing.T) {
	const refused = "not supported yet: this version serves the embedded API, the command line, the CQL native protocol and HTTP for operators"
	check := problemChecker(t)
	check("postgres_port: 5432", "c.yaml:1: postgres_port: "+refused)

	// the type is checked all the same
	check("postgres_port: 70000", "c.yaml:1: postgres_port: 70000 is out of range: allowed is 1 to 65535", "c.yaml:1: postgres_port: "+refused)
	check("postgres_port: web", `c.yaml:1: postgres_port: "web" is not a whole number`, "c.yaml:1: postgres_port: "+refused)
}

func TestMistakesInEnvironmentAndSet(t *testing.T) {
	check := func(environ, set []string, want ...string) {
		t.Helper()
		if _, err := loadText("", environ, set); err == nil || err.Error() != strings.Join(want, "\n") {
			t.Errorf("%q %q\n got: %v\nwant: %s", environ, set, err, strings.Join(want, "\n      "))
		}
	}
	one := func(s string) []string { return []string{s} }
	check(one("ILIUM_FOO=1"), nil, "ILIUM_FOO: unknown setting")
	check(one("ILIUM_MEMROY=1GiB"), nil, "ILIUM_MEMROY: unknown setting; did you mean ILIUM_MEMORY?")
	check(one("ILIUM_memory=1GiB"), nil, "ILIUM_memory: unknown setting; did you mean ILIUM_MEMORY?")
	check(one("ILIUM_=1"), nil, "ILIUM_: unknown setting")
	check(one("ILIUM_PAGE_SIZE="), nil, `ILIUM_PAGE_SIZE: page_size: "" is not a whole number`)
	check(one("ILIUM_RACK"), nil, "ILIUM_RACK: rack: must not be empty")
	check(one("ILIUM_RACK=\xff"), nil, `ILIUM_RACK: rack: "\xff" is not valid UTF-8`)
	check(one("ILIUM_POSTGRES_PORT=1"), nil, "ILIUM_POSTGRES_PORT: postgres_port: not supported yet: "+
		"this version serves the embedded API, the command line, the CQL native protocol and HTTP for operators")
	check(nil, one("memory"), `--set: "memory" is not in the form name=value`)
	check(nil, one(""), `--set: "" is not in the form name=value`)
	check(nil, one("=1"), `--set: "=1" is not in the form name=value`)
	check(nil, one("rak=1"), "--set: rak: unknown setting; did you mean rack?")
	check(nil, one("page_size=0"), "--set: page_size: 0 is out of range: allowed is 1 to 10000")
	// A mistake shows even where a later source replaces the value.
	check(one("ILIUM_PAGE_SIZE=x"), []string{"page_size=y", "page_size=1"},
		`ILIUM_PAGE_SIZE: page_size: "x" is not a whole number`, `--set: page_size: "y" is not a whole number`)
}

func TestCombinations(t *testing.T) {
	check := func(text string, environ []string, want ...string) {
		t.Helper()
		_, err := loadText(text, environ, nil)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != strings.Join(want, "\n") {
			t.Errorf("%q %q\n got: %s\nwant: %s", text, environ, got, strings.Join(want, "\n      "))
		}
	}
	check("commitlog_sync_period: 5s", nil, "c.yaml:1: commitlog_sync_period: 5s cannot be combined with "+
		"commitlog_sync: group (default): it is used with commitlog_sync: periodic only")
	check("commitlog_sync_period: 10s", nil, "c.yaml:1: commitlog_sync_period: 10s cannot be combined with "+
		"commitlog_sync: group (default): it is used with commitlog_sync: periodic only")
	check("commitlog_sync_period: 5s", []string{"ILIUM_COMMITLOG_SYNC=periodic"})
	check("commitlog_sync_group_window: 5ms", []string{"ILIUM_COMMITLOG_SYNC=periodic"},
		"c.yaml:1: commitlog_sync_group_window: 5ms cannot be combined with "+
			"commitlog_sync: periodic (ILIUM_COMMITLOG_SYNC): it is used with commitlog_sync: group only")
	check("commitlog_sync_group_window: 5ms", nil)
	check("commitlog_sync_group_window: 2s", nil, "c.yaml:1: commitlog_sync_group_window: 2s cannot be combined with "+
		"write_request_timeout: 2s (default): the window must be shorter than the timeout, or every write times out")
	check("\nbatch_size_fail_threshold: 100KiB", nil, "c.yaml:2: batch_size_fail_threshold: 100KiB cannot be combined with "+
		"batch_size_warn_threshold: 128KiB (default): a batch must not fail before it warns")
	check("batch_size_fail_threshold: 0", nil)
	check("batch_size_fail_threshold: 128KiB", nil)
	check("tombstone_warn_threshold: 2\ntombstone_failure_threshold: 1", nil,
		"c.yaml:1: tombstone_warn_threshold: 2 cannot be combined with "+
			"tombstone_failure_threshold: 1 (c.yaml:2): a read must not fail before it warns")
	check("max_mutation_size: 257MiB", nil, "c.yaml:1: max_mutation_size: 257MiB cannot be combined with "+
		"memory: 1GiB (default): a mutation may take a quarter of the memory at most")
	check("memory: 64MiB\nprepared_statements_cache_size: 17MiB", nil,
		"c.yaml:2: prepared_statements_cache_size: 17MiB cannot be combined with "+
			"memory: 64MiB (c.yaml:1): the cache may take a quarter of the memory at most")
	check("memory: 64MiB", nil)
	check("http_address: 10.0.0.1", nil, "c.yaml:1: http_address: 10.0.0.1 cannot be combined with "+
		"http_port: 0 (default): without a port there is no HTTP server")
	check("http_address: 10.0.0.1\nhttp_port: 7080", nil)

	// A combination is not judged by a value that is wrong already.
	check("memory: 1\nmax_mutation_size: 512MiB", nil, `c.yaml:1: memory: "1" has no unit: `+sizeForm)
	check("commitlog_sync: batch\ncommitlog_sync_period: 5s", nil, "c.yaml:1: commitlog_sync: batch is not available: "+
		"group already syncs every write before acknowledging it")
	check("commitlog_sync_period: 5", nil, `c.yaml:1: commitlog_sync_period: "5" has no unit: `+durationForm)
}

func TestPrecedence(t *testing.T) {
	loaded, err := loadText(
		"# comment\nrack: file\ndatacenter: file\ncluster_name: file\n",
		[]string{"PATH=/bin", "ILIUM_DATACENTER=environment", "ILIUM_CLUSTER_NAME=a", "ILIUM_CLUSTER_NAME=environment=b"},
		[]string{"cluster_name=first", "cluster_name=last=one"})
	if err != nil {
		t.Fatal(err)
	}
	check := func(setting, text string, source Source) {
		t.Helper()
		want := Value{Setting: setting, Text: text, Source: source}
		if !slices.Contains(loaded.Settings, want) {
			t.Errorf("%+v is not in %+v", want, loaded.Settings)
		}
	}
	check("data_directory", "ilium-data", Source{Name: "default"})
	check("rack", "file", Source{Name: "c.yaml", Line: 2})
	check("datacenter", "environment", Source{Name: "ILIUM_DATACENTER"})
	check("cluster_name", "last=one", Source{Name: "--set"})
	want := Default()
	want.Rack, want.Datacenter, want.ClusterName = "file", "environment", "last=one"
	if loaded.Config != want {
		t.Errorf("got %+v, want %+v", loaded.Config, want)
	}
}

func TestValuesKeepTheirSpelling(t *testing.T) {
	check := func(text, want string) {
		t.Helper()
		loaded, err := loadText("cluster_name: "+text, nil, nil)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if loaded.Config.ClusterName != want {
			t.Errorf("%s gives %q, want %q", text, loaded.Config.ClusterName, want)
		}
	}
	check("007", "007") // not 7
	check("yes", "yes") // not true
	check("2026-01-02", "2026-01-02")
	check("1e3", "1e3")
	check(`"null"`, "null")
	check("'a # b'", "a # b")
	check("&name x\ndatacenter: *name", "x")
	check("a\r\nrack: b\r\n", "a")
}

func TestEmptyFilesAreValid(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "---\n", "~", "{}", "\ufeffmemory: 1GiB\n"} {
		if loaded, err := loadText(text, nil, nil); err != nil || loaded.Config != Default() {
			t.Errorf("%q: %+v, %v", text, loaded, err)
		}
	}
}

func TestLoadFindsTheFile(t *testing.T) {
	t.Chdir(t.TempDir())
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	checkRack := func(file, want string) {
		t.Helper()
		if loaded, err := Load(Sources{File: file}); err != nil || loaded.Config.Rack != want {
			t.Errorf("Load(%q) = %+v, %v; want rack %s", file, loaded, err, want)
		}
	}
	checkError := func(file, want string) {
		t.Helper()
		_, err := Load(Sources{File: file, Set: []string{"rak=1"}})
		want += "\n--set: rak: unknown setting; did you mean rack?"
		if err == nil || err.Error() != want {
			t.Errorf("Load(%q) = %v, want %s", file, err, want)
		}
	}
	checkRack("", "rack1") // no default file
	write(DefaultFile, "rack: one")
	write("other.conf", "rack: two")
	checkRack("", "one")
	checkRack("other.conf", "two")
	checkRack(filepath.Join(".", "other.conf"), "two")
	if err := os.Mkdir("dir", 0o700); err != nil {
		t.Fatal(err)
	}
	write("large", strings.Repeat("# comment\n", int(maxFileSize)/10+1))
	checkError("absent.yaml", "absent.yaml: cannot read the configuration file: no such file or directory")
	checkError("dir", "dir: cannot read the configuration file: is a directory")
	checkError("other.conf/x", "other.conf/x: cannot read the configuration file: not a directory")
	checkError("large", "large: cannot read the configuration file: it is larger than 1MiB")
	checkError("no\nsuch", `"no\nsuch": cannot read the configuration file: no such file or directory`)
	if os.Geteuid() != 0 { // root reads everything
		write("secret", "")
		if err := os.Chmod("secret", 0); err != nil {
			t.Fatal(err)
		}
		checkError("secret", "secret: cannot read the configuration file: permission denied")
	}
	write(DefaultFile, "rack: [")
	checkError("", "ilium.yaml:1: YAML syntax: did not find expected node content")
	if err := os.Remove(DefaultFile); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(DefaultFile, 0o700); err != nil {
		t.Fatal(err)
	}
	checkError("", "ilium.yaml: cannot read the configuration file: is a directory")
}

func TestProblemFields(t *testing.T) {
	_, err := loadText("\nmemory: 1MiB", nil, nil)
	var p *Problem
	if !errors.As(err, &p) {
		t.Fatalf("%v holds no Problem", err)
	}
	want := Problem{Source{"c.yaml", 2}, "memory", "1MiB is out of range: allowed is at least 64MiB"}
	if *p != want {
		t.Errorf("got %+v, want %+v", *p, want)
	}
}

func TestValidate(t *testing.T) {
	check := func(change func(*Config), want ...string) {
		t.Helper()
		c := Default()
		change(&c)
		got := ""
		if err := c.Validate(); err != nil {
			got = err.Error()
		}
		if got != strings.Join(want, "\n") {
			t.Errorf("got %s, want %s", got, strings.Join(want, "\n"))
		}
	}
	check(func(*Config) {})
	check(func(c *Config) { c.Memory = 2 * GiB })
	check(func(c *Config) { c.CommitlogSync, c.CommitlogSyncPeriod = SyncPeriodic, time.Second })
	check(func(c *Config) { c.Rack, c.Memory = " ", 1 },
		"Config: rack: must not be empty", "Config: memory: 1B is out of range: allowed is at least 64MiB")
	check(func(c *Config) { c.CommitlogSync = "" }, `Config: commitlog_sync: "" is not one of group, periodic`)
	check(func(c *Config) { c.CommitlogSyncPeriod = time.Second }, "Config: commitlog_sync_period: 1s cannot be combined "+
		"with commitlog_sync: group (default): it is used with commitlog_sync: periodic only")
	check(func(c *Config) { c.CompactionThroughput = -1 },
		"Config: compaction_throughput: -1B/s is out of range: allowed is 0B/s or more")
	if (Config{}).Validate() == nil {
		t.Error("the zero Config is valid")
	}
}

func BenchmarkLoad(b *testing.B) {
	environ := []string{"PATH=/bin", "ILIUM_MEMORY=2GiB"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := loadText("cluster_name: mail\ndata_directory: /data\n", environ, []string{"rack=a"}); err != nil {
			b.Fatal(err)
		}
	}
}
