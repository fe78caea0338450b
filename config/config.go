package config

import (
	"errors"
	"fmt"
	"time"
)

// Config holds the settings of one node. It is plain data and comparable with ==; copy it freely.
// Each field is described under its YAML name in the table of settings and in
// docs/CONFIGURATION.md. The zero value is not usable: start from [Default].
type Config struct {
	ClusterName   string // cluster_name
	Datacenter    string // datacenter
	Rack          string // rack
	DataDirectory string // data_directory
	Memory        Size   // memory

	CommitlogSync            CommitlogSync // commitlog_sync
	CommitlogSyncPeriod      time.Duration // commitlog_sync_period; used when CommitlogSync is SyncPeriodic
	CommitlogSyncGroupWindow time.Duration // commitlog_sync_group_window; used when CommitlogSync is SyncGroup
	DiskSpaceFloor           Size          // disk_space_floor; 0: derived from Memory
	CompactionThroughput     Rate          // compaction_throughput; 0: not limited

	MaxMutationSize             Size // max_mutation_size
	BatchSizeWarnThreshold      Size // batch_size_warn_threshold; 0: off
	BatchSizeFailThreshold      Size // batch_size_fail_threshold; 0: off
	TombstoneWarnThreshold      int  // tombstone_warn_threshold, tombstones per read
	TombstoneFailureThreshold   int  // tombstone_failure_threshold, tombstones per read
	PageSize                    int  // page_size, rows
	PreparedStatementsCacheSize Size // prepared_statements_cache_size
	DefaultKeyspaceRF           int  // default_keyspace_rf, replicas

	ReadRequestTimeout     time.Duration // read_request_timeout
	RangeRequestTimeout    time.Duration // range_request_timeout
	WriteRequestTimeout    time.Duration // write_request_timeout
	TruncateRequestTimeout time.Duration // truncate_request_timeout
	RequestTimeout         time.Duration // request_timeout

	Authenticator         Authenticator // authenticator
	SuperuserPassword     Secret        // superuser_password; empty: not set
	SuperuserPasswordFile string        // superuser_password_file; empty: none

	ClientEncryptionEnabled           bool   // client_encryption_enabled
	ClientEncryptionCertificate       string // client_encryption_certificate; empty: none
	ClientEncryptionKey               string // client_encryption_key; empty: none
	ClientEncryptionRequireClientAuth bool   // client_encryption_require_client_auth
	ClientEncryptionTruststore        string // client_encryption_truststore; empty: none

	RPCAddress                                   string // rpc_address
	NativeTransportPort                          int    // native_transport_port; 0: any that is free
	NativeTransportMaxFrameSize                  Size   // native_transport_max_frame_size
	NativeTransportMaxConcurrentConnections      int    // native_transport_max_concurrent_connections
	NativeTransportMaxConcurrentConnectionsPerIP int    // native_transport_max_concurrent_connections_per_ip; 0: not limited
	NativeTransportMaxRequestDataInFlight        Size   // native_transport_max_request_data_in_flight; 0: derived from Memory
	NativeTransportMaxRequestDataInFlightPerIP   Size   // native_transport_max_request_data_in_flight_per_ip; 0: derived from Memory

	HTTPAddress string // http_address
	HTTPPort    int    // http_port; 0: no HTTP server

	ListenAddress       string    // listen_address; empty: the node is alone
	StoragePort         int       // storage_port; 0: any that is free
	BroadcastAddress    string    // broadcast_address; empty: ListenAddress
	BroadcastRPCAddress string    // broadcast_rpc_address; empty: RPCAddress
	Seeds               Addresses // seeds; empty: none

	NumTokens                               int    // num_tokens
	AllocateTokensForLocalReplicationFactor int    // allocate_tokens_for_local_replication_factor, replicas
	AutoBootstrap                           bool   // auto_bootstrap
	ReplaceNode                             string // replace_node, host id or address; empty: none

	PhiConvictThreshold           float64 // phi_convict_threshold
	DynamicSnitchBadnessThreshold float64 // dynamic_snitch_badness_threshold

	HintedHandoffEnabled     bool          // hinted_handoff_enabled
	MaxHintWindow            time.Duration // max_hint_window
	HintedHandoffThrottle    Rate          // hinted_handoff_throttle; 0: not limited
	MaxHintsDeliveryThreads  int           // max_hints_delivery_threads, nodes
	MaxHintsFileSize         Size          // max_hints_file_size
	MaxHintsSizePerHost      Size          // max_hints_size_per_host; 0: not limited
	HintsDirectory           string        // hints_directory; empty: hints in DataDirectory
	StreamThroughputOutbound Rate          // stream_throughput_outbound; 0: not limited

	InternodeCompression              InternodeCompression // internode_compression
	ServerEncryptionEnabled           bool                 // server_encryption_enabled
	ServerEncryptionCertificate       string               // server_encryption_certificate; empty: none
	ServerEncryptionKey               string               // server_encryption_key; empty: none
	ServerEncryptionRequireClientAuth bool                 // server_encryption_require_client_auth
	ServerEncryptionTruststore        string               // server_encryption_truststore; empty: none
	GossipEncryptionKeyFile           string               // gossip_encryption_key_file; empty: none
}

// CommitlogSync says when a write is on disk relative to its acknowledgment.
type CommitlogSync string

const (
	// SyncGroup acknowledges a write after the fsync that covers it; writes that wait together share one.
	SyncGroup CommitlogSync = "group"
	// SyncPeriodic acknowledges a write at once and runs fsync every Config.CommitlogSyncPeriod.
	SyncPeriodic CommitlogSync = "periodic"
)

// Authenticator says how clients of the CQL native protocol prove who they are. Its names are Cassandra's.
type Authenticator string

const (
	// AllowAllAuthenticator lets everybody in.
	AllowAllAuthenticator Authenticator = "AllowAllAuthenticator"
	// PasswordAuthenticator asks for a name and a password.
	PasswordAuthenticator Authenticator = "PasswordAuthenticator"
)

// InternodeCompression says which traffic between nodes is compressed. Its names are Cassandra's.
type InternodeCompression string

const (
	// CompressAll compresses all traffic between nodes.
	CompressAll InternodeCompression = "all"
	// CompressDatacenters compresses the traffic between nodes of different datacenters.
	CompressDatacenters InternodeCompression = "dc"
	// CompressNone compresses nothing.
	CompressNone InternodeCompression = "none"
)

// A Secret is text that is not printed: formatted with any verb, it is stars.
type Secret string

// hidden stands for a Secret wherever it is shown.
const hidden = "****"

// Format implements fmt.Formatter.
func (s Secret) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprint(f, s.String()) // fmt reports the errors of its writer itself
}

// String returns stars, or nothing for an empty Secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return hidden
}

// MarshalText implements encoding.TextMarshaler, by which encoders and logs print.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Default returns the Config in which every setting has its built-in default. It is valid.
func Default() Config {
	var c Config
	for _, s := range settings {
		if s.reserved {
			continue
		}
		if err := s.read(&c, s.def); err != nil {
			panic(fmt.Sprintf("config: the default of %s is not valid: %v", s.name, err))
		}
	}
	return c
}

// Validate checks a Config that was built in code by the rules that [Load] applies to files: limits,
// choices and combinations. A field that differs from its default counts as set. The error joins a
// *[Problem] for each mistake; nil means that c is usable.
func (c Config) Validate() error {
	var problems []error
	source := Source{Name: "Config"}
	faulty := map[string]bool{}
	for _, s := range settings {
		if s.reserved {
			continue
		}
		if err := s.check(&c); err != nil {
			faulty[s.name] = true
			problems = append(problems, &Problem{Source: source, Setting: s.name, Message: err.Error()})
		}
	}
	defaults := Default()
	from := map[string]Source{}
	for _, s := range settings {
		if !s.reserved && s.format(&c) != s.format(&defaults) {
			from[s.name] = source
		}
	}
	return errors.Join(append(problems, checkCombinations(&c, from, faulty)...)...)
}
