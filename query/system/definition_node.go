package system

// nodeTables are the tables of system that drivers and tools read.
const nodeTables = `
CREATE TABLE system.available_ranges (
    keyspace_name text PRIMARY KEY, ranges set<blob>
) WITH comment = 'available keyspace/ranges during bootstrap/replace that are ready to be served'
    AND gc_grace_seconds = 0 AND memtable_flush_period_in_ms = 3600000;

CREATE TABLE system.available_ranges_v2 (
    keyspace_name text PRIMARY KEY, full_ranges set<blob>, transient_ranges set<blob>
) WITH comment = 'available keyspace/ranges during bootstrap/replace that are ready to be served'
    AND gc_grace_seconds = 0 AND memtable_flush_period_in_ms = 3600000;

CREATE TABLE system.built_views (
    keyspace_name text, view_name text, status_replicated boolean, PRIMARY KEY (keyspace_name, view_name)
) WITH comment = 'built views'
    AND gc_grace_seconds = 0 AND memtable_flush_period_in_ms = 3600000;

CREATE TABLE system."IndexInfo" (
    table_name text, index_name text, value blob, PRIMARY KEY (table_name, index_name)
) WITH comment = 'built column indexes'
    AND gc_grace_seconds = 0 AND memtable_flush_period_in_ms = 3600000;

CREATE TABLE system.local (
    key text PRIMARY KEY, bootstrapped text, broadcast_address inet, broadcast_port int, cluster_name text,
    cql_version text, data_center text, gossip_generation int, host_id uuid, listen_address inet, listen_port int,
    native_protocol_version text, partitioner text, rack text, release_version text, rpc_address inet, rpc_port int,
    schema_version uuid, tokens set<text>, truncated_at map<uuid, blob>
) WITH comment = 'information about the local node'
    AND gc_grace_seconds = 0 AND memtable_flush_period_in_ms = 3600000;

CREATE TABLE system.peers (
    peer inet PRIMARY KEY, data_center text, host_id uuid, preferred_ip inet, rack text, release_version text,
    rpc_address inet, schema_version uuid, tokens set<text>
) WITH comment = 'information about known peers in the cluster'
    AND gc_grace_seconds = 0 AND memtable_flush_period_in_ms = 3600000;

CREATE TABLE system.peers_v2 (
    peer inet, peer_port int, data_center text, host_id uuid, native_address inet, native_port int, preferred_ip inet,
    preferred_port int, rack text, release_version text, schema_version uuid, tokens set<text>,
    PRIMARY KEY (peer, peer_port)
) WITH comment = 'information about known peers in the cluster'
    AND gc_grace_seconds = 0 AND memtable_flush_period_in_ms = 3600000;

CREATE TABLE system.prepared_statements (
    prepared_id blob PRIMARY KEY, logged_keyspace text, query_string text
) WITH comment = 'prepared statements'
    AND gc_grace_seconds = 0 AND memtable_flush_period_in_ms = 3600000;

CREATE TABLE system.size_estimates (
    keyspace_name text, table_name text, range_start text, range_end text, mean_partition_size bigint,
    partitions_count bigint, PRIMARY KEY (keyspace_name, table_name, range_start, range_end)
) WITH comment = 'per-table primary range size estimates, table is deprecated in favor of table_estimates'
    AND gc_grace_seconds = 0 AND memtable_flush_period_in_ms = 3600000;

CREATE TABLE system.table_estimates (
    keyspace_name text, table_name text, range_type text, range_start text, range_end text,
    mean_partition_size bigint, partitions_count bigint,
    PRIMARY KEY (keyspace_name, table_name, range_type, range_start, range_end)
) WITH comment = 'per-table range size estimates'
    AND gc_grace_seconds = 0 AND memtable_flush_period_in_ms = 3600000;
`

// traceTables are the tables of system_traces.
const traceTables = `
CREATE TABLE system_traces.events (
    session_id uuid, event_id timeuuid, activity text, source inet, source_elapsed int, source_port int, thread text,
    PRIMARY KEY (session_id, event_id)
) WITH comment = 'tracing events'
    AND gc_grace_seconds = 0;

CREATE TABLE system_traces.sessions (
    session_id uuid PRIMARY KEY, client inet, command text, coordinator inet, coordinator_port int, duration int,
    request text, started_at timestamp, parameters map<text, text>
) WITH comment = 'tracing sessions'
    AND gc_grace_seconds = 0;
`
