package system

import (
	"fmt"
	"strings"
)

// viewTables are the tables of system_views: the state of the node. Cassandra has more; these have something true to say.
const viewTables = `
CREATE TABLE system_views.caches (
    name text PRIMARY KEY, capacity_bytes bigint, entry_count int, hit_count bigint, hit_ratio double,
    recent_hit_rate_per_second bigint, recent_request_rate_per_second bigint, request_count bigint, size_bytes bigint
) WITH comment = 'system caches';

CREATE TABLE system_views.clients (
    address inet, port int, client_options frozen<map<text, text>>, connection_stage text, driver_name text,
    driver_version text, hostname text, keyspace_name text, protocol_version int, request_count bigint,
    ssl_cipher_suite text, ssl_enabled boolean, ssl_protocol text, username text, PRIMARY KEY (address, port)
) WITH comment = 'currently connected clients';

CREATE TABLE system_views.pending_hints (
    host_id uuid PRIMARY KEY, address inet, dc text, files int, newest timestamp, oldest timestamp, port int, rack text,
    status text
) WITH comment = 'Pending hints that this node has for other nodes';

CREATE TABLE system_views.settings (
    name text PRIMARY KEY, value text
) WITH comment = 'current settings';

CREATE TABLE system_views.ilium (
    name text PRIMARY KEY, value text
) WITH comment = 'this version of Ilium, which Cassandra does not have';

CREATE TABLE system_views.ilium_failure_detector (
    host_id uuid PRIMARY KEY, address inet, port int, data_center text, rack text, state text, up boolean, phi double,
    generation bigint, heartbeat bigint
) WITH comment = 'how this node sees the others, which Cassandra tells by JMX only';
`

// gossipStates are the names of what nodes say of themselves, as Cassandra 5.0 has them (ApplicationState), in its order.
func gossipStates() []string {
	return []string{
		"status", "load", "schema", "dc", "rack", "release_version", "removal_coordinator", "internal_ip", "rpc_address",
		"x_11_padding", "severity", "net_version", "host_id", "tokens", "rpc_ready", "internal_address_and_port",
		"native_address_and_port", "status_with_port", "sstable_versions", "disk_usage", "index_status",
		"x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10",
	}
}

// hiddenState is the one of gossipStates whose value is not shown: it is long, and system.peers has it.
const hiddenState = "tokens"

// gossipTable returns the statement of system_views.gossip_info, which has two columns for each state.
func gossipTable() string {
	var b strings.Builder
	b.WriteString("CREATE TABLE system_views.gossip_info (address inet, port int, hostname text, generation int, heartbeat int,\n")
	for _, state := range gossipStates() {
		if state != hiddenState {
			fmt.Fprintf(&b, "%q text, ", state)
		}
		fmt.Fprintf(&b, "%q int,\n", state+"_version")
	}
	b.WriteString("PRIMARY KEY (address, port)) WITH comment = 'lists the gossip information for the cluster';\n")
	return b.String()
}
