package config

import (
	"math"
	"time"
)

// clusterSettings are those of the node's part in a cluster. Most have no effect on a node that is alone.
var clusterSettings = []setting{
	plain(optionalAddresses, setting{
		name:  "listen_address",
		about: "Address for other nodes to connect to; without one the node is alone and opens no port for others.",
	}, func(c *Config) *string { return &c.ListenAddress }),
	ranged(numbers, setting{
		name: "storage_port", def: "7000",
		about: "Port for other nodes, TCP and UDP; 0 takes any that is free.",
	}, 0, math.MaxUint16, func(c *Config) *int { return &c.StoragePort }),
	plain(optionalIPs, setting{
		name:  "broadcast_address",
		about: "Address that other nodes are told to connect to, where it is not listen_address.",
	}, func(c *Config) *string { return &c.BroadcastAddress }),
	plain(optionalIPs, setting{
		name:  "broadcast_rpc_address",
		about: "Address that clients are told to connect to, where it is not rpc_address.",
	}, func(c *Config) *string { return &c.BroadcastRPCAddress }),
	listed(setting{
		name:  "seeds",
		about: "Nodes through which this one finds the cluster; without any, or with itself alone, its first start founds one.",
	}, func(c *Config) *Addresses { return &c.Seeds }),

	ranged(numbers, setting{
		name: "num_tokens", def: "16",
		about: "Number of tokens that the node takes at its first start; its share of the data is in proportion.",
	}, 1, maxTokens, func(c *Config) *int { return &c.NumTokens }),
	ranged(numbers, setting{
		name: "allocate_tokens_for_local_replication_factor", def: "3",
		about: "Number of replicas in a datacenter for which a node that joins chooses tokens that even out the shares.",
	}, 1, math.MaxInt32, func(c *Config) *int { return &c.AllocateTokensForLocalReplicationFactor }),
	either(setting{
		name: "auto_bootstrap", def: "true",
		about: "Whether a node that joins takes over its part of the data before it serves; " +
			"without that, reads miss what it lacks until it has been repaired.",
	}, func(c *Config) *bool { return &c.AutoBootstrap }),
	plain(optionalAddresses, setting{
		name: "replace_node",
		about: "Host id or address of a dead node whose tokens and data this one takes over at its first start; " +
			"in Cassandra an option of the program, -Dcassandra.replace_address_first_boot, which knows no host ids.",
	}, func(c *Config) *string { return &c.ReplaceNode }),

	within(setting{
		name: "phi_convict_threshold", def: "8",
		about: "Suspicion at which a node that is silent counts as down; a higher one is slower to say so, and errs less often.",
	}, 5, 16, func(c *Config) *float64 { return &c.PhiConvictThreshold }),
	within(setting{
		name: "dynamic_snitch_badness_threshold", def: "1",
		about: "How much slower than the fastest a replica must be for reads to avoid it, as a part of the fastest one's latency; 1 is twice as slow.",
	}, 0, math.Inf(1), func(c *Config) *float64 { return &c.DynamicSnitchBadnessThreshold }),

	either(setting{
		name: "hinted_handoff_enabled", def: "true",
		about: "Whether writes that a replica misses are kept as hints, and given to it later.",
	}, func(c *Config) *bool { return &c.HintedHandoffEnabled }),
	ranged(durations, setting{
		name: "max_hint_window", def: "3h",
		about: "How long a node may be down before no more hints are kept for it.",
	}, 0, unlimited, func(c *Config) *time.Duration { return &c.MaxHintWindow }),
	ranged(rates, setting{
		name: "hinted_handoff_throttle", def: "1MiB/s",
		about: "Limit on the rate at which hints are delivered; 0B/s means no limit. Cassandra writes it without /s.",
	}, 0, unlimited, func(c *Config) *Rate { return &c.HintedHandoffThrottle }),
	ranged(numbers, setting{
		name: "max_hints_delivery_threads", def: "2",
		about: "Number of nodes to which hints are delivered at the same time.",
	}, 1, 1024, func(c *Config) *int { return &c.MaxHintsDeliveryThreads }),
	ranged(sizes, setting{
		name: "max_hints_file_size", def: "128MiB",
		about: "Size at which a file of hints is closed and the next one begun.",
	}, MiB, unlimited, func(c *Config) *Size { return &c.MaxHintsFileSize }),
	ranged(sizes, setting{
		name: "max_hints_size_per_host", def: "0B",
		about: "Size of all hints for one node above which no more are kept for it; with 0B, only disk_space_floor limits them.",
	}, 0, unlimited, func(c *Config) *Size { return &c.MaxHintsSizePerHost }),
	plain(optionalPaths, setting{
		name:  "hints_directory",
		about: "Directory for hints; without one, hints in data_directory.",
	}, func(c *Config) *string { return &c.HintsDirectory }),
	ranged(rates, setting{
		name: "stream_throughput_outbound", def: "24MiB/s",
		about: "Limit on the rate at which a node that joins or takes over ranges fetches their data from others; 0B/s means no limit.",
	}, 0, unlimited, func(c *Config) *Rate { return &c.StreamThroughputOutbound }),

	plain(internodeCompressions, setting{
		name: "internode_compression", def: string(CompressDatacenters), allowed: "all, dc, none",
		about: "Which traffic between nodes is compressed: all, that between datacenters, or none.",
	}, func(c *Config) *InternodeCompression { return &c.InternodeCompression }),
	either(setting{
		name: "server_encryption_enabled", def: "false",
		about: "Whether nodes connect to each other by TLS, version 1.3; it must be the same on all of them.",
	}, func(c *Config) *bool { return &c.ServerEncryptionEnabled }),
	plain(optionalPaths, setting{
		name:  "server_encryption_certificate",
		about: "File with the certificate that the node shows to others and those that lead to its root, in PEM; read again when it changes.",
	}, func(c *Config) *string { return &c.ServerEncryptionCertificate }),
	plain(optionalPaths, setting{
		name:  "server_encryption_key",
		about: "File with the private key of that certificate, in PEM; others must not be able to read it; read again when it changes.",
	}, func(c *Config) *string { return &c.ServerEncryptionKey }),
	either(setting{
		name: "server_encryption_require_client_auth", def: "false",
		about: "Whether nodes that connect must show a certificate that the truststore vouches for, as those connected to always must.",
	}, func(c *Config) *bool { return &c.ServerEncryptionRequireClientAuth }),
	plain(optionalPaths, setting{
		name:  "server_encryption_truststore",
		about: "File with the certificates of the authorities that sign those of nodes, in PEM; read again when it changes.",
	}, func(c *Config) *string { return &c.ServerEncryptionTruststore }),
	plain(optionalPaths, setting{
		name: "gossip_encryption_key_file",
		about: "File with keys of 32 bytes in base64 or hex, one per line, that protect gossip: the first one encrypts, " +
			"all of them decrypt; others must not be able to read it; read again when it changes.",
	}, func(c *Config) *string { return &c.GossipEncryptionKeyFile }),
}

const maxTokens = 1536 // Cassandra accepts no more either

// clusterCombinations say what must hold for a node to be part of a cluster. Settings that tune one may be set in
// any case.
var clusterCombinations = []combination{
	{"broadcast_address", "listen_address", func(c *Config) bool {
		return c.BroadcastAddress != "" && c.ListenAddress == ""
	}, onlyInCluster},
	{"seeds", "listen_address", func(c *Config) bool { return c.Seeds != "" && c.ListenAddress == "" }, onlyInCluster},
	{"replace_node", "seeds", func(c *Config) bool { return c.ReplaceNode != "" && c.Seeds == "" },
		"the node needs seeds to find the cluster in which it replaces another"},
	{"rpc_address", "broadcast_rpc_address", func(c *Config) bool {
		return c.ListenAddress != "" && isWildcard(c.RPCAddress) && c.BroadcastRPCAddress == ""
	}, "a node that takes clients at all addresses must say which of them clients of a cluster are to use"},
	{"hints_directory", "hinted_handoff_enabled", func(c *Config) bool {
		return c.HintsDirectory != "" && !c.HintedHandoffEnabled
	}, "no hints are kept"},
	{"server_encryption_enabled", "listen_address", func(c *Config) bool {
		return c.ServerEncryptionEnabled && c.ListenAddress == ""
	}, onlyInCluster},
	{"server_encryption_certificate", "server_encryption_enabled", func(c *Config) bool {
		return (c.ServerEncryptionCertificate != "") != c.ServerEncryptionEnabled
	}, "TLS needs a certificate, and nothing else does"},
	{"server_encryption_key", "server_encryption_enabled", func(c *Config) bool {
		return (c.ServerEncryptionKey != "") != c.ServerEncryptionEnabled
	}, "TLS needs a private key, and nothing else does"},
	{"server_encryption_truststore", "server_encryption_enabled", func(c *Config) bool {
		return (c.ServerEncryptionTruststore != "") != c.ServerEncryptionEnabled
	}, "TLS needs a truststore to know other nodes by, and nothing else does"},
	{"server_encryption_require_client_auth", "server_encryption_enabled", func(c *Config) bool {
		return c.ServerEncryptionRequireClientAuth && !c.ServerEncryptionEnabled
	}, "nodes show certificates with TLS only"},
	{"gossip_encryption_key_file", "listen_address", func(c *Config) bool {
		return c.GossipEncryptionKeyFile != "" && c.ListenAddress == ""
	}, onlyInCluster},
}

const onlyInCluster = "without listen_address the node is alone"
