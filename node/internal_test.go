package node

import (
	"testing"
	"time"

	"github.com/iliumdb/ilium/config"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/storage/row"
)

func TestStorageOptions(t *testing.T) {
	cfg := config.Default()
	if got := storageOptions(cfg, Options{}, &tables{}, nil); got.Sync != storage.SyncGroup || got.Dir != cfg.DataDirectory {
		t.Errorf("got %+v", got)
	}
	cfg.CommitlogSync, cfg.CommitlogSyncPeriod, cfg.DiskSpaceFloor = config.SyncPeriodic, time.Minute, 5*config.MiB
	got := storageOptions(cfg, Options{}, &tables{}, nil)
	if got.Sync != storage.SyncPeriodic || got.SyncPeriod != time.Minute || got.DiskFloor != 5<<20 {
		t.Errorf("got %+v", got)
	}
}

func TestFormatKey(t *testing.T) {
	table := &schema.Table{Keyspace: "ks", Name: "t",
		Partition:  []*schema.Column{{ID: 1, Name: "user", Type: cqltype.TypeText, Kind: schema.PartitionKey}},
		Clustering: []*schema.Column{{ID: 2, Name: "n", Type: cqltype.TypeInt, Kind: schema.Clustering, Descending: true}},
	}
	partition := row.AppendPartition(nil, -42, []byte("ada"))
	clustering := cqltype.TypeInt.AppendKey(nil, []byte{0, 0, 0, 7}, true)
	check := func(want string, parts ...[]byte) {
		t.Helper()
		var key []byte
		for _, p := range parts {
			key = append(key, p...)
		}
		if got := formatKey(table, key); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	check("user = 'ada' AND n = 7 (token -42)", partition, []byte{byte(row.KindRow)}, clustering)
	check("user = 'ada' (token -42)", partition, []byte{byte(row.KindHeader)})
	check("0x7fffffffffffffd66164610001", partition) // a row key has a kind behind the partition
	check("0x0102", []byte{1, 2})
	check("0x")
}
