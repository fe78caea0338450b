package config

import (
	"bytes"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write docs/CONFIGURATION.md instead of comparing it")

func TestReferenceIsCurrent(t *testing.T) {
	const page = "../docs/CONFIGURATION.md"
	if *update {
		if err := os.WriteFile(page, Reference(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, Reference()) {
		t.Errorf("%s is not what the table of settings says; run: go generate ./config", page)
	}
}

func TestDefaults(t *testing.T) {
	want := Config{
		ClusterName: "Test Cluster", Datacenter: "datacenter1", Rack: "rack1", DataDirectory: "ilium-data", Memory: GiB,
		CommitlogSync: SyncGroup, CommitlogSyncPeriod: 10 * time.Second, CompactionThroughput: Rate(64 * MiB),
		MaxMutationSize: 16 * MiB, BatchSizeWarnThreshold: 128 * KiB, BatchSizeFailThreshold: MiB,
		TombstoneWarnThreshold: 1000, TombstoneFailureThreshold: 100000, PageSize: 5000,
		PreparedStatementsCacheSize: 10 * MiB, DefaultKeyspaceRF: 1,
		ReadRequestTimeout: 5 * time.Second, RangeRequestTimeout: 10 * time.Second, WriteRequestTimeout: 2 * time.Second,
		TruncateRequestTimeout: time.Minute, RequestTimeout: 10 * time.Second,
		RPCAddress: "127.0.0.1", NativeTransportPort: 9042, NativeTransportMaxFrameSize: 16 * MiB,
		NativeTransportMaxConcurrentConnections: 4096, Authenticator: AllowAllAuthenticator, HTTPAddress: "127.0.0.1",
		StoragePort: 7000, NumTokens: 16, AllocateTokensForLocalReplicationFactor: 3, AutoBootstrap: true,
		PhiConvictThreshold: 8, DynamicSnitchBadnessThreshold: 1,
		HintedHandoffEnabled: true, MaxHintWindow: 3 * time.Hour, HintedHandoffThrottle: Rate(MiB), MaxHintsDeliveryThreads: 2,
		MaxHintsFileSize: 128 * MiB, StreamThroughputOutbound: Rate(24 * MiB), InternodeCompression: CompressDatacenters,
	}
	if got := Default(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if err := Default().Validate(); err != nil {
		t.Error(err)
	}
}

func TestTable(t *testing.T) {
	seen := map[string]bool{}
	supported := 0
	for _, s := range settings {
		if seen[s.name] || s.name == "" || s.kind == "" || !strings.HasSuffix(s.about, ".") {
			t.Errorf("%s: twice, or without name, kind or sentence", s.name)
		}
		seen[s.name] = true
		if s.reserved {
			continue
		}
		supported++
		c := Default()
		if got := s.format(&c); got != s.def {
			t.Errorf("%s: default %s is printed as %s", s.name, s.def, got)
		}
	}
	for _, c := range combinations {
		if !seen[c.first] || !seen[c.second] {
			t.Errorf("combination of unknown settings: %s, %s", c.first, c.second)
		}
	}
	if fields := reflect.TypeFor[Config]().NumField(); fields != supported {
		t.Errorf("Config has %d fields, the table %d supported settings", fields, supported)
	}
}

// TestFieldsAreDistinct gives one setting after the other a new value and expects one more changed field each time.
func TestFieldsAreDistinct(t *testing.T) {
	values := map[string]string{
		"text": "other", "path": "other", "size": "32MiB", "rate": "1B/s", "duration": "20ms", "whole number": "77", "choice": "periodic",
		"switch": "true", "secret": "other", "address": "other", "IP address": "203.0.113.7", "list of addresses": "other", "number": "7.5",
	}
	special := map[string]string{
		"memory": "2GiB", "authenticator": "PasswordAuthenticator", "internode_compression": "all",
		"auto_bootstrap": "false", "hinted_handoff_enabled": "false",
	}
	c, changed := Default(), 0
	for _, s := range settings {
		if s.reserved {
			continue
		}
		value := values[s.kind]
		if other, ok := special[s.name]; ok {
			value = other
		}
		if err := s.read(&c, value); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		changed++
		if got := differences(c, Default()); got != changed {
			t.Fatalf("after %s, %d fields differ, want %d", s.name, got, changed)
		}
	}
}

func differences(a, b Config) int {
	n := 0
	for i := range reflect.TypeFor[Config]().NumField() {
		if !reflect.ValueOf(a).Field(i).Equal(reflect.ValueOf(b).Field(i)) {
			n++
		}
	}
	return n
}

func TestWrite(t *testing.T) {
	loaded, err := loadText("cluster_name: '12'\n", []string{"ILIUM_MEMORY=2GiB"}, []string{"write_request_timeout=1500ms"})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := loaded.Write(&out); err != nil {
		t.Fatal(err)
	}
	const want = `cluster_name:                                        "12"                   # c.yaml:1
datacenter:                                          datacenter1            # default
rack:                                                rack1                  # default
data_directory:                                      ilium-data             # default
memory:                                              2GiB                   # ILIUM_MEMORY
commitlog_sync:                                      group                  # default
# commitlog_sync_period:                             10s                    no effect: used with commitlog_sync: periodic only
commitlog_sync_group_window:                         0s                     # default
disk_space_floor:                                    0B                     # default
compaction_throughput:                               64MiB/s                # default
max_mutation_size:                                   16MiB                  # default
batch_size_warn_threshold:                           128KiB                 # default
batch_size_fail_threshold:                           1MiB                   # default
tombstone_warn_threshold:                            1000                   # default
tombstone_failure_threshold:                         100000                 # default
page_size:                                           5000                   # default
prepared_statements_cache_size:                      10MiB                  # default
default_keyspace_rf:                                 1                      # default
read_request_timeout:                                5s                     # default
range_request_timeout:                               10s                    # default
write_request_timeout:                               1500ms                 # --set
truncate_request_timeout:                            1m                     # default
request_timeout:                                     10s                    # default
authenticator:                                       AllowAllAuthenticator  # default
# superuser_password:                                                       not set
# superuser_password_file:                                                  not set
client_encryption_enabled:                           false                  # default
# client_encryption_certificate:                                            not set
# client_encryption_key:                                                    not set
client_encryption_require_client_auth:               false                  # default
# client_encryption_truststore:                                             not set
rpc_address:                                         127.0.0.1              # default
native_transport_port:                               9042                   # default
native_transport_max_frame_size:                     16MiB                  # default
native_transport_max_concurrent_connections:         4096                   # default
native_transport_max_concurrent_connections_per_ip:  0                      # default
native_transport_max_request_data_in_flight:         0B                     # default
native_transport_max_request_data_in_flight_per_ip:  0B                     # default
http_address:                                        127.0.0.1              # default
http_port:                                           0                      # default
# listen_address:                                                           not set
storage_port:                                        7000                   # default
# broadcast_address:                                                        not set
# broadcast_rpc_address:                                                    not set
# seeds:                                                                    not set
num_tokens:                                          16                     # default
allocate_tokens_for_local_replication_factor:        3                      # default
auto_bootstrap:                                      true                   # default
# replace_node:                                                             not set
phi_convict_threshold:                               8                      # default
dynamic_snitch_badness_threshold:                    1                      # default
hinted_handoff_enabled:                              true                   # default
max_hint_window:                                     3h                     # default
hinted_handoff_throttle:                             1MiB/s                 # default
max_hints_delivery_threads:                          2                      # default
max_hints_file_size:                                 128MiB                 # default
max_hints_size_per_host:                             0B                     # default
# hints_directory:                                                          not set
stream_throughput_outbound:                          24MiB/s                # default
internode_compression:                               dc                     # default
server_encryption_enabled:                           false                  # default
# server_encryption_certificate:                                            not set
# server_encryption_key:                                                    not set
server_encryption_require_client_auth:               false                  # default
# server_encryption_truststore:                                             not set
# gossip_encryption_key_file:                                               not set
`
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
	}
	if err := loaded.Write(failingWriter{}); err == nil {
		t.Error("Write hides the error of its writer")
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, os.ErrClosed }

// checkRoundTrip writes loaded and reads the output as a file.
func checkRoundTrip(t rapid.TB, loaded *Loaded) {
	t.Helper()
	var out bytes.Buffer
	if err := loaded.Write(&out); err != nil {
		t.Fatalf("Write: %v", err)
	}
	again, err := loadText(out.String(), nil, nil)
	if err != nil {
		t.Fatalf("the listing is not a valid file: %v\n%s", err, out.String())
	}
	want := loaded.Config
	want.SuperuserPassword = "" // which is not shown
	if again.Config != want {
		t.Fatalf("the listing gives %+v, want %+v\n%s", again.Config, want, out.String())
	}
}

// TestRoundTrip sets random settings in random sources and expects the model's Config, and the same
// again from the listing.
func TestRoundTrip(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		"null", "~", "true", "1", "0x1", "- a", "a: b", "a #b", "#a", "'", `"`, " a ", "*a", "&a", "!a", "%a", "@", "[", "{", "---", "...",
		"\u2028", "\ufeff", "a\u00a0", "\u0301", "=", "<<", "1:30", "2026-01-02", "é",
	}))
	rapid.Check(t, func(t *rapid.T) {
		var environ, set []string
		want := Default()
		for _, s := range settings {
			if s.reserved || s.secret() {
				continue
			}
			var value string
			switch s.kind {
			case "text", "path":
				value = text.Draw(t, s.name)
			case "choice":
				value = rapid.SampledFrom([]string{"group", "periodic", "AllowAllAuthenticator", "PasswordAuthenticator", "all", "none"}).Draw(t, s.name)
			case "address", "list of addresses":
				value = rapid.OneOf(text, rapid.SampledFrom([]string{"a", "10.0.0.1", "::1", "a:1, [::1]:7000,::1", "0.0.0.0", "1e3", "123e4567-e89b-12d3-a456-426614174000"})).Draw(t, s.name)
			default: // around every limit
				value = rapid.SampledFrom([]string{s.def, "5000", "64MiB", "1GiB", "65537B", "100ms", "1h", "3B/s", "true", "false", "5.25", "16"}).Draw(t, s.name)
			}
			c := want
			if s.read(&c, value) != nil || (s.onlyWith != "" && s.onlyWith != want.CommitlogSync) {
				continue
			}
			switch rapid.IntRange(0, 2).Draw(t, "source of "+s.name) {
			case 0:
				environ, want = append(environ, s.variable()+"="+value), c
			case 1:
				environ = append(environ, s.variable()+"="+s.def) // hidden by --set
				set, want = append(set, s.name+"="+value), c
			}
		}
		loaded, err := loadText("", environ, set)
		if (err == nil) != (want.Validate() == nil) {
			t.Fatalf("Load: %v\nValidate: %v", err, want.Validate())
		}
		if err != nil {
			return
		}
		if loaded.Config != want {
			t.Fatalf("got %+v, want %+v", loaded.Config, want)
		}
		checkRoundTrip(t, loaded)
	})
}

func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		"", "memory: 1GiB\n", "cluster_name: 'a b'\nrack: &r x\ndatacenter: *r\n", "seeds: [a, b]\npostgres_port: 1", "listen_address: ::1\nseeds: ['[::1]:7000', b]\nphi_convict_threshold: 5.5", "rack: a\nrack: b",
		"commitlog_sync: periodic\ncommitlog_sync_period: 5s", "a: [1, {b: }", "--- a\n--- b", "<<: *x", "? [a]\n: b", "\xff\xfem\x00",
		"rack: |\n a\n", "rack: !!binary aGk=", "%YAML 1.1\n---\nrack: \"\\x41\"", "request_timeout: 9223372036854775807ns",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		loaded, err := loadText(string(data), nil, nil)
		if err != nil {
			checkMessage(t, err, data)
			return
		}
		if err := loaded.Config.Validate(); err != nil {
			t.Fatalf("Load accepts what Validate refuses: %v", err)
		}
		checkRoundTrip(t, loaded)
	})
}

// checkMessage expects every problem on one line of valid text and in a line that the file has.
func checkMessage(t *testing.T, err error, data []byte) {
	t.Helper()
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("%T is not a joined error", err)
	}
	for _, problem := range joined.Unwrap() {
		p, ok := problem.(*Problem)
		if !ok || !utf8.ValidString(p.Error()) || strings.Contains(p.Error(), "\n") {
			t.Fatalf("not a printable problem: %q", problem.Error())
		}
		breaks := strings.Count(string(data), "\n") + strings.Count(string(data), "\r") + strings.Count(string(data), "\u0085") +
			strings.Count(string(data), "\u2028") + strings.Count(string(data), "\u2029")
		if p.Source.Line < 1 || p.Source.Line > breaks+1 {
			t.Fatalf("line %d of %d: %v", p.Source.Line, breaks+1, p)
		}
	}
}
