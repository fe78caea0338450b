package http

import "time"

// A Node is a node of the cluster, as the one that is asked knows it.
type Node struct {
	ID         string   `json:"host_id"`
	Address    string   `json:"address"`        // for other nodes: IP address and port
	Native     string   `json:"native_address"` // for clients; empty if unknown
	Datacenter string   `json:"datacenter"`
	Rack       string   `json:"rack"`
	Up         bool     `json:"up"`
	State      string   `json:"state"`      // NORMAL, JOINING or LEAVING
	Load       *int64   `json:"load_bytes"` // nil if unknown
	Tokens     int      `json:"tokens"`
	Owns       *float64 `json:"owns"` // the part of all data; nil if that has no meaning
}

// Status is the answer to /api/v1/status.
type Status struct {
	Keyspace string `json:"keyspace,omitempty"` // whose replication was used for what nodes own
	Note     string `json:"note,omitempty"`     // why it is not said what nodes own
	Nodes    []Node `json:"nodes"`              // by datacenter and address
}

// A Token is a token with the node that has it.
type Token struct {
	Token string `json:"token"`
	Node  string `json:"host_id"`
}

// Ring is the answer to /api/v1/ring.
type Ring struct {
	Status
	Ring []Token `json:"ring"` // ascending, also those of nodes that do not own their ranges yet
}

// Info is the answer to /api/v1/info.
type Info struct {
	Node
	Cluster       string   `json:"cluster_name"`
	Version       string   `json:"version"`
	InCluster     bool     `json:"in_cluster"`    // or alone
	NativeActive  bool     `json:"native_active"` // it takes clients
	Generation    uint32   `json:"generation"`
	UptimeSeconds int64    `json:"uptime_seconds"`
	MemoryBytes   int64    `json:"memory_bytes"` // that Go has from the operating system
	MemoryBudget  int64    `json:"memory_budget_bytes"`
	Clients       int      `json:"clients"` // connections
	TokenList     []string `json:"token_list"`
	Metadata      Metadata `json:"metadata_log"`
}

// A GossipValue is what a node says of itself under one name.
type GossipValue struct {
	Value   string `json:"value"`
	Version uint32 `json:"version"`
}

// A GossipNode is what gossip knows of a node.
type GossipNode struct {
	ID         string                 `json:"host_id"`
	Address    string                 `json:"address"`
	Up         bool                   `json:"up"`
	Phi        *float64               `json:"phi"` // how suspect its silence is; nil if it was never heard of
	Generation uint32                 `json:"generation"`
	Heartbeat  uint32                 `json:"heartbeat"`
	Values     map[string]GossipValue `json:"values"`
}

// A Datacenter is how many nodes there are in one.
type Datacenter struct {
	Name  string `json:"name"`
	Nodes int    `json:"nodes"`
	Down  int    `json:"down"`
}

// A VersionGroup is a version with the nodes that have it.
type VersionGroup struct {
	Version string   `json:"version"` // UNREACHABLE for nodes that are down
	Nodes   []string `json:"nodes"`   // addresses
}

// A Keyspace is one with its replication.
type Keyspace struct {
	Name        string            `json:"name"`
	Class       string            `json:"class"`
	Replication map[string]string `json:"replication"`
}

// Metadata is who decides about the schema and the ring. It is empty in a node that is alone.
type Metadata struct {
	Leader  string   `json:"leader"` // address, or host id if that is not known; empty if the node knows no leader
	Voters  []string `json:"voters"` // as leader
	Applied uint64   `json:"applied"`
}

// Cluster is the answer to /api/v1/describecluster.
type Cluster struct {
	Name        string         `json:"name"`
	Partitioner string         `json:"partitioner"`
	Schemas     []VersionGroup `json:"schema_versions"` // more than one: nodes do not agree
	Live        int            `json:"live"`
	Joining     int            `json:"joining"`
	Leaving     int            `json:"leaving"`
	Unreachable int            `json:"unreachable"`
	Datacenters []Datacenter   `json:"datacenters"`
	Releases    []VersionGroup `json:"releases"`
	Keyspaces   []Keyspace     `json:"keyspaces"`
	Metadata    Metadata       `json:"metadata_log"`
}

// Streaming is how far the node is in taking data over from others.
type Streaming struct {
	Active bool   `json:"active"`
	Done   int    `json:"parts_done"` // a part is a range of a table from one node
	Total  int    `json:"parts_total"`
	Bytes  int64  `json:"bytes"`
	Table  string `json:"table,omitempty"` // at hand
}

// A Connection is one to another node.
type Connection struct {
	Node        string `json:"host_id"`
	Address     string `json:"address"`
	Bulk        bool   `json:"bulk"` // for requests that move much data
	Connected   bool   `json:"connected"`
	Unanswered  int    `json:"unanswered"` // requests
	Waiting     int    `json:"waiting_bytes"`
	Requests    uint64 `json:"requests"` // so far
	Connections uint64 `json:"connections"`
	Failures    uint64 `json:"failures"` // attempts to connect
	LastError   string `json:"last_error,omitempty"`
}

// Netstats is the answer to /api/v1/netstats.
type Netstats struct {
	Mode        string       `json:"mode"` // NORMAL, JOINING or LEAVING
	Streaming   Streaming    `json:"streaming"`
	Connections []Connection `json:"connections"`
}

// PendingHints is what waits for a node.
type PendingHints struct {
	Node         string    `json:"host_id"`
	Address      string    `json:"address"` // empty if the node is not in the cluster anymore
	Files        int       `json:"files"`
	Bytes        int64     `json:"bytes"`
	DamagedFiles int       `json:"damaged_files"`
	Oldest       time.Time `json:"oldest"`
	Newest       time.Time `json:"newest"`
}

// A Line is one of the answer to an action. One of its fields is set.
type Line struct {
	Progress string `json:"progress,omitempty"`
	Done     bool   `json:"done,omitempty"`
	Error    string `json:"error,omitempty"`
}
