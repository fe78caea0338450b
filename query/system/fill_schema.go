package system

import (
	"maps"

	"github.com/iliumdb/ilium/schema"
)

// fills says, by keyspace and table, how rows are made. Tables that are not here are empty.
func fills() map[string]map[string]fill {
	return map[string]map[string]fill{
		"system": {
			"local":    {rows: (*filler).local, live: true},
			"peers":    {rows: (*filler).peers, live: true},
			"peers_v2": {rows: (*filler).peersV2, live: true},
		},
		"system_schema": {
			"columns":         {rows: (*filler).columns},
			"dropped_columns": {rows: (*filler).droppedColumns},
			"keyspaces":       {rows: (*filler).allKeyspaces},
			"tables":          {rows: (*filler).tables},
			"types":           {rows: (*filler).types},
		},
		"system_virtual_schema": {
			"columns":   {rows: (*filler).virtualColumns},
			"keyspaces": {rows: (*filler).virtualKeyspaces},
			"tables":    {rows: (*filler).virtualTables},
		},
		"system_traces": {
			"events":   {rows: (*filler).traceEvents, live: true},
			"sessions": {rows: (*filler).traceSessions, live: true},
		},
		"system_views": {
			"caches":                 {rows: (*filler).caches, live: true},
			"clients":                {rows: (*filler).clients, live: true},
			"gossip_info":            {rows: (*filler).gossip, live: true},
			"ilium":                  {rows: (*filler).ilium},
			"ilium_failure_detector": {rows: (*filler).failureDetector, live: true},
			"pending_hints":          {rows: (*filler).pendingHints, live: true},
			"settings":               {rows: (*filler).settings},
		},
	}
}

// eachTable visits the tables of all keyspaces that are virtual, or of all that are not.
func (f *filler) eachTable(virtual bool, visit func(*schema.Table)) {
	for _, k := range f.Catalog(f.snapshot.schema).Keyspaces() {
		if k.IsVirtual() != virtual {
			continue
		}
		for t := range k.Tables() {
			visit(t)
		}
	}
}

func (f *filler) allKeyspaces() {
	for _, k := range f.Catalog(f.snapshot.schema).Keyspaces() {
		if k.IsVirtual() {
			continue
		}
		replication := map[string]string{"class": "org.apache.cassandra.locator." + k.Replication.Class}
		maps.Copy(replication, k.Replication.Options)
		f.add(values{"keyspace_name": k.Name, "durable_writes": k.DurableWrites, "replication": replication})
	}
}

func (f *filler) virtualKeyspaces() {
	for _, k := range f.Catalog(f.snapshot.schema).Keyspaces() {
		if k.IsVirtual() {
			f.add(values{"keyspace_name": k.Name})
		}
	}
}

func (f *filler) tables() {
	f.eachTable(false, func(t *schema.Table) {
		v := values{"keyspace_name": t.Keyspace, "table_name": t.Name, "id": t.ID, "flags": flags(t)}
		addOptions(v, t.Options)
		f.add(v)
	})
}

// flags returns the flags of a table. All tables are compound: they are not of the kind that Thrift made.
func flags(t *schema.Table) []string {
	if t.IsCounter() {
		return []string{"compound", "counter"}
	}
	return []string{"compound"}
}

// addOptions adds the options of a table. As in Cassandra, those that it got lately are null where they have the default.
func addOptions(v values, o schema.Options) {
	extensions := map[string][]byte{}
	for name, value := range o.Extensions {
		extensions[name] = []byte(value)
	}
	maps.Copy(v, values{
		"additional_write_policy":     o.AdditionalWritePolicy,
		"bloom_filter_fp_chance":      o.BloomFilterFPChance,
		"caching":                     o.Caching,
		"comment":                     o.Comment,
		"compaction":                  o.Compaction,
		"compression":                 o.Compression,
		"crc_check_chance":            o.CRCCheckChance,
		"dclocal_read_repair_chance":  0.0,
		"default_time_to_live":        o.DefaultTimeToLive,
		"extensions":                  extensions,
		"gc_grace_seconds":            o.GCGraceSeconds,
		"max_index_interval":          o.MaxIndexInterval,
		"memtable_flush_period_in_ms": o.MemtableFlushPeriodInMs,
		"min_index_interval":          o.MinIndexInterval,
		"read_repair":                 o.ReadRepair,
		"read_repair_chance":          0.0,
		"speculative_retry":           o.SpeculativeRetry,
	})
	if o.CDC {
		v["cdc"] = true
	}
	if !o.AllowAutoSnapshot {
		v["allow_auto_snapshot"] = false
	}
	if !o.IncrementalBackups {
		v["incremental_backups"] = false
	}
	if o.Memtable != "default" {
		v["memtable"] = o.Memtable
	}
}

func (f *filler) virtualTables() {
	f.eachTable(true, func(t *schema.Table) {
		f.add(values{"keyspace_name": t.Keyspace, "table_name": t.Name, "comment": t.Options.Comment})
	})
}

func (f *filler) columns()        { f.eachTable(false, f.columnsOf) }
func (f *filler) virtualColumns() { f.eachTable(true, f.columnsOf) }

func (f *filler) columnsOf(t *schema.Table) {
	for c := range t.Columns() {
		order, position := "none", -1
		if c.IsPrimaryKey() {
			position = c.Position
		}
		if c.Kind == schema.Clustering {
			order = "asc"
			if c.Descending {
				order = "desc"
			}
		}
		f.add(values{"keyspace_name": t.Keyspace, "table_name": t.Name, "column_name": c.Name, "clustering_order": order,
			"column_name_bytes": []byte(c.Name), "kind": c.Kind.String(), "position": position, "type": c.Type.String()})
	}
}

func (f *filler) droppedColumns() {
	f.eachTable(false, func(t *schema.Table) {
		for _, d := range t.LastDropped() {
			kind := schema.Regular
			if d.Static {
				kind = schema.Static
			}
			const microsPerMilli = 1000
			f.add(values{"keyspace_name": t.Keyspace, "table_name": t.Name, "column_name": d.Name,
				"dropped_time": d.At / microsPerMilli, "kind": kind.String(), "type": d.Type})
		}
	})
}

func (f *filler) types() {
	for k := range f.snapshot.schema.Keyspaces() {
		for t := range k.Types() {
			_, name := t.UDTName()
			names, types := []string{}, []string{}
			for _, field := range t.Fields() {
				names, types = append(names, field.Name), append(types, field.Type.String())
			}
			f.add(values{"keyspace_name": k.Name, "type_name": name, "field_names": names, "field_types": types})
		}
	}
}
