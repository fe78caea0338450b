package config

import (
	"fmt"
	"slices"
)

// combination is a pair of settings that can contradict each other.
type combination struct {
	first, second string
	broken        func(c *Config) bool
	rule          string // what must hold
}

// combinations are in the order of the reference.
var combinations = slices.Concat(nodeCombinations, clusterCombinations)

var nodeCombinations = []combination{
	{"commitlog_sync_group_window", "write_request_timeout", func(c *Config) bool {
		return c.CommitlogSync == SyncGroup && c.CommitlogSyncGroupWindow >= c.WriteRequestTimeout
	}, "the window must be shorter than the timeout, or every write times out"},
	{"max_mutation_size", "memory", func(c *Config) bool { return c.MaxMutationSize > c.Memory/4 },
		"a mutation may take a quarter of the memory at most"},
	{"prepared_statements_cache_size", "memory", func(c *Config) bool { return c.PreparedStatementsCacheSize > c.Memory/4 },
		"the cache may take a quarter of the memory at most"},
	{"superuser_password", "authenticator", func(c *Config) bool {
		return c.SuperuserPassword != "" && c.Authenticator != PasswordAuthenticator
	}, "it is used with PasswordAuthenticator only"},
	{"superuser_password_file", "authenticator", func(c *Config) bool {
		return c.SuperuserPasswordFile != "" && c.Authenticator != PasswordAuthenticator
	}, "it is used with PasswordAuthenticator only"},
	{"superuser_password", "superuser_password_file", func(c *Config) bool {
		return c.SuperuserPassword != "" && c.SuperuserPasswordFile != ""
	}, "set one of them"},
	{"client_encryption_certificate", "client_encryption_enabled", func(c *Config) bool {
		return (c.ClientEncryptionCertificate != "") != c.ClientEncryptionEnabled
	}, "TLS needs a certificate, and nothing else does"},
	{"client_encryption_key", "client_encryption_enabled", func(c *Config) bool {
		return (c.ClientEncryptionKey != "") != c.ClientEncryptionEnabled
	}, "TLS needs a private key, and nothing else does"},
	{"client_encryption_require_client_auth", "client_encryption_enabled", func(c *Config) bool {
		return c.ClientEncryptionRequireClientAuth && !c.ClientEncryptionEnabled
	}, "clients show certificates with TLS only"},
	{"client_encryption_truststore", "client_encryption_require_client_auth", func(c *Config) bool {
		return (c.ClientEncryptionTruststore != "") != c.ClientEncryptionRequireClientAuth
	}, "clients' certificates need a truststore, and nothing else does"},
	{"http_address", "http_port", func(c *Config) bool {
		return c.HTTPAddress != Default().HTTPAddress && c.HTTPPort == 0
	}, "without a port there is no HTTP server"},
	{"batch_size_warn_threshold", "batch_size_fail_threshold", func(c *Config) bool {
		return c.BatchSizeFailThreshold != 0 && c.BatchSizeWarnThreshold > c.BatchSizeFailThreshold
	}, "a batch must not fail before it warns"},
	{"tombstone_warn_threshold", "tombstone_failure_threshold", func(c *Config) bool {
		return c.TombstoneWarnThreshold > c.TombstoneFailureThreshold
	}, "a read must not fail before it warns"},
}

// checkCombinations returns a *Problem for each contradiction in c. from holds the source of every
// setting that is not a default. Settings in faulty have no usable value and are left out.
func checkCombinations(c *Config, from map[string]Source, faulty map[string]bool) []error {
	var problems []error
	conflict := func(first, second, rule string) {
		if _, set := from[first]; !set {
			first, second = second, first // blame what the user wrote
		}
		problems = append(problems, &Problem{
			Source:  from[first],
			Setting: first,
			Message: fmt.Sprintf("%s cannot be combined with %s: %s (%s): %s", shown(first, c),
				second, shown(second, c), sourceOf(from, second), rule),
		})
	}
	for _, s := range settings {
		_, set := from[s.name]
		if s.onlyWith != "" && s.onlyWith != c.CommitlogSync && set && !faulty[s.name] && !faulty["commitlog_sync"] {
			conflict(s.name, "commitlog_sync", fmt.Sprintf("it is used with commitlog_sync: %s only", s.onlyWith))
		}
	}
	for _, pair := range combinations {
		if !faulty[pair.first] && !faulty[pair.second] && pair.broken(c) {
			conflict(pair.first, pair.second, pair.rule)
		}
	}
	return problems
}

// shown returns the value of the named setting as a message shows it.
func shown(name string, c *Config) string {
	if text := lookup(name).format(c); text != "" {
		return text
	}
	return "none"
}

// sourceOf returns where the named setting got its value.
func sourceOf(from map[string]Source, name string) Source {
	if source, set := from[name]; set {
		return source
	}
	return Source{Name: "default"}
}

// lookup returns the named setting, or nil if there is none.
func lookup(name string) *setting {
	for _, s := range settings {
		if s.name == name {
			return &s
		}
	}
	return nil
}
