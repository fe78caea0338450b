package config

import (
	"math"
	"slices"
	"time"
)

// settings is the single source for every setting, in the order of the listing and the reference.
// Each default is in canonical form: the one that format prints.
var settings = slices.Concat(nodeSettings, clusterSettings, reservedSettings)

// nodeSettings are those of the node itself and of its clients.
var nodeSettings = []setting{
	plain(texts, setting{
		name: "cluster_name", def: "Test Cluster",
		about: "Name of the cluster, shown in system.local.",
	}, func(c *Config) *string { return &c.ClusterName }),
	plain(texts, setting{
		name: "datacenter", def: "datacenter1",
		about: "Datacenter of this node, the name that NetworkTopologyStrategy refers to.",
	}, func(c *Config) *string { return &c.Datacenter }),
	plain(texts, setting{
		name: "rack", def: "rack1",
		about: "Rack of this node within its datacenter.",
	}, func(c *Config) *string { return &c.Rack }),
	plain(paths, setting{
		name: "data_directory", def: "ilium-data",
		about: "Directory that holds all data of the node; a relative path starts at the working directory.",
	}, func(c *Config) *string { return &c.DataDirectory }),
	ranged(sizes, setting{
		name: "memory", def: "1GiB",
		about: "Memory budget of the node, divided among memtables, caches and in-flight requests.",
	}, 64*MiB, unlimited, func(c *Config) *Size { return &c.Memory }),

	plain(syncModes, setting{
		name: "commitlog_sync", def: string(SyncGroup), allowed: "group, periodic",
		about: "When a write is acknowledged: group waits for the fsync that covers it; " +
			"periodic does not wait, so a power failure loses the writes since the last fsync.",
	}, func(c *Config) *CommitlogSync { return &c.CommitlogSync }),
	ranged(durations, setting{
		name: "commitlog_sync_period", def: "10s", onlyWith: SyncPeriodic,
		about: "Time between two fsyncs.",
	}, time.Millisecond, time.Hour, func(c *Config) *time.Duration { return &c.CommitlogSyncPeriod }),
	ranged(durations, setting{
		name: "commitlog_sync_group_window", def: "0s", onlyWith: SyncGroup,
		about: "How long a group waits for more writes before its fsync; 0s takes only those already waiting.",
	}, 0, 10*time.Second, func(c *Config) *time.Duration { return &c.CommitlogSyncGroupWindow }),
	ranged(sizes, setting{
		name: "disk_space_floor", def: "0B",
		about: "Free disk space below which writes are refused while reads go on; 0B derives it from memory.",
	}, 0, unlimited, func(c *Config) *Size { return &c.DiskSpaceFloor }),
	ranged(rates, setting{
		name: "compaction_throughput", def: "64MiB/s",
		about: "Limit on the rate at which background compaction rewrites data; 0B/s means no limit.",
	}, 0, unlimited, func(c *Config) *Rate { return &c.CompactionThroughput }),

	ranged(sizes, setting{
		name: "max_mutation_size", def: "16MiB",
		about: "Largest change to one partition that a statement may make.",
	}, KiB, unlimited, func(c *Config) *Size { return &c.MaxMutationSize }),
	ranged(sizes, setting{
		name: "batch_size_warn_threshold", def: "128KiB",
		about: "Size of a batch above which a warning is given; batches on one partition count as well; 0B turns it off.",
	}, 0, unlimited, func(c *Config) *Size { return &c.BatchSizeWarnThreshold }),
	ranged(sizes, setting{
		name: "batch_size_fail_threshold", def: "1MiB",
		about: "Size of a batch above which it is refused; batches on one partition count as well; 0B turns it off.",
	}, 0, unlimited, func(c *Config) *Size { return &c.BatchSizeFailThreshold }),
	ranged(numbers, setting{
		name: "tombstone_warn_threshold", def: "1000",
		about: "Number of tombstones in one read above which a warning is given.",
	}, 1, math.MaxInt32, func(c *Config) *int { return &c.TombstoneWarnThreshold }),
	ranged(numbers, setting{
		name: "tombstone_failure_threshold", def: "100000",
		about: "Number of tombstones in one read above which it fails.",
	}, 1, math.MaxInt32, func(c *Config) *int { return &c.TombstoneFailureThreshold }),
	ranged(numbers, setting{
		name: "page_size", def: "5000",
		about: "Rows in a page of results when the caller does not say.",
	}, 1, 10000, func(c *Config) *int { return &c.PageSize }),
	ranged(sizes, setting{
		name: "prepared_statements_cache_size", def: "10MiB",
		about: "Memory that the plans of prepared statements may take; the least recently used are evicted.",
	}, 64*KiB, unlimited, func(c *Config) *Size { return &c.PreparedStatementsCacheSize }),
	ranged(numbers, setting{
		name: "default_keyspace_rf", def: "1",
		about: "Replication factor of a keyspace whose CREATE KEYSPACE names none.",
	}, 1, math.MaxInt32, func(c *Config) *int { return &c.DefaultKeyspaceRF }),

	ranged(durations, setting{
		name: "read_request_timeout", def: "5s",
		about: "Time limit of a read within one partition.",
	}, minTimeout, maxTimeout, func(c *Config) *time.Duration { return &c.ReadRequestTimeout }),
	ranged(durations, setting{
		name: "range_request_timeout", def: "10s",
		about: "Time limit of a read that scans partitions.",
	}, minTimeout, maxTimeout, func(c *Config) *time.Duration { return &c.RangeRequestTimeout }),
	ranged(durations, setting{
		name: "write_request_timeout", def: "2s",
		about: "Time limit of a write.",
	}, minTimeout, maxTimeout, func(c *Config) *time.Duration { return &c.WriteRequestTimeout }),
	ranged(durations, setting{
		name: "truncate_request_timeout", def: "1m",
		about: "Time limit of TRUNCATE.",
	}, minTimeout, maxTimeout, func(c *Config) *time.Duration { return &c.TruncateRequestTimeout }),
	ranged(durations, setting{
		name: "request_timeout", def: "10s",
		about: "Time limit of every other request.",
	}, minTimeout, maxTimeout, func(c *Config) *time.Duration { return &c.RequestTimeout }),

	plain(authenticators, setting{
		name: "authenticator", def: string(AllowAllAuthenticator), allowed: "AllowAllAuthenticator, PasswordAuthenticator",
		about: "How clients prove who they are: not at all, or by the name and password of a role; see docs/SECURITY.md.",
	}, func(c *Config) *Authenticator { return &c.Authenticator }),
	plain(secrets, setting{
		name:  "superuser_password",
		about: "Password of the role cassandra, from the next start on; without it or the file, one is generated and shown once.",
	}, func(c *Config) *Secret { return &c.SuperuserPassword }),
	plain(optionalPaths, setting{
		name:  "superuser_password_file",
		about: "File with that password in its first line; others must not be able to read it.",
	}, func(c *Config) *string { return &c.SuperuserPasswordFile }),
	either(setting{
		name: "client_encryption_enabled", def: "false",
		about: "Whether clients connect by TLS, version 1.2 or newer; those that do not are refused.",
	}, func(c *Config) *bool { return &c.ClientEncryptionEnabled }),
	plain(optionalPaths, setting{
		name:  "client_encryption_certificate",
		about: "File with the certificate for TLS and those that lead to its root, in PEM; read again when it changes.",
	}, func(c *Config) *string { return &c.ClientEncryptionCertificate }),
	plain(optionalPaths, setting{
		name:  "client_encryption_key",
		about: "File with the private key of the certificate, in PEM; others must not be able to read it; read again when it changes.",
	}, func(c *Config) *string { return &c.ClientEncryptionKey }),
	either(setting{
		name: "client_encryption_require_client_auth", def: "false",
		about: "Whether clients must show a certificate that the truststore vouches for.",
	}, func(c *Config) *bool { return &c.ClientEncryptionRequireClientAuth }),
	plain(optionalPaths, setting{
		name:  "client_encryption_truststore",
		about: "File with the certificates of the authorities that sign those of clients, in PEM; read again when it changes.",
	}, func(c *Config) *string { return &c.ClientEncryptionTruststore }),

	plain(texts, setting{
		name: "rpc_address", def: "127.0.0.1",
		about: "Address for clients to connect to, a name or an IP address; used by ilium start.",
	}, func(c *Config) *string { return &c.RPCAddress }),
	ranged(numbers, setting{
		name: "native_transport_port", def: "9042",
		about: "Port of the CQL native protocol; 0 takes any that is free; used by ilium start.",
	}, 0, math.MaxUint16, func(c *Config) *int { return &c.NativeTransportPort }),
	ranged(sizes, setting{
		name: "native_transport_max_frame_size", def: "16MiB",
		about: "Largest request of the CQL native protocol.",
	}, 128*KiB, 256*MiB, func(c *Config) *Size { return &c.NativeTransportMaxFrameSize }),
	ranged(numbers, setting{
		name: "native_transport_max_concurrent_connections", def: "4096",
		about: "Number of clients' connections above which further ones are closed.",
	}, 1, math.MaxInt32, func(c *Config) *int { return &c.NativeTransportMaxConcurrentConnections }),
	ranged(numbers, setting{
		name: "native_transport_max_concurrent_connections_per_ip", def: "0",
		about: "Number of connections from one address above which further ones are closed; 0 means no limit.",
	}, 0, math.MaxInt32, func(c *Config) *int { return &c.NativeTransportMaxConcurrentConnectionsPerIP }),
	ranged(sizes, setting{
		name: "native_transport_max_request_data_in_flight", def: "0B",
		about: "Bytes of requests under way above which no more are read from clients, " +
			"or answered with OVERLOADED if a client has asked for that; 0B takes a tenth of memory.",
	}, 0, unlimited, func(c *Config) *Size { return &c.NativeTransportMaxRequestDataInFlight }),
	ranged(sizes, setting{
		name: "native_transport_max_request_data_in_flight_per_ip", def: "0B",
		about: "The same for the clients at one address; 0B takes a fortieth of memory.",
	}, 0, unlimited, func(c *Config) *Size { return &c.NativeTransportMaxRequestDataInFlightPerIP }),

	plain(texts, setting{
		name: "http_address", def: "127.0.0.1",
		about: "Address at which the node listens to operators, a name or an IP address; used by ilium start.",
	}, func(c *Config) *string { return &c.HTTPAddress }),
	ranged(numbers, setting{
		name: "http_port", def: "0",
		about: "Port for operators: the HTTP interface, which ilium status and its like use; 0 means none; see docs/OPERATIONS.md.",
	}, 0, math.MaxUint16, func(c *Config) *int { return &c.HTTPPort }),
}

// reservedSettings are known, and not supported yet.
var reservedSettings = []setting{
	reserve("port", parsePort, setting{name: "postgres_port", about: "Port of the Postgres protocol."}),
}

const (
	minTimeout = 10 * time.Millisecond // Cassandra accepts no less either
	maxTimeout = 24 * time.Hour        // more is a mistake in the unit
)
