package node_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/iliumdb/ilium/config"
	"github.com/iliumdb/ilium/coordinator"
	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/node"
)

// A node in a directory, a table, a row in and out.
func Example() {
	dir, err := os.MkdirTemp("", "ilium-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	ctx := context.Background()
	cfg := config.Default()
	cfg.DataDirectory = dir
	cfg.Memory = 64 * config.MiB
	n, err := node.Start(ctx, cfg)
	if err != nil {
		log.Fatal(err)
	}
	defer n.Stop()

	s := n.Session()
	for _, ddl := range []string{
		"CREATE KEYSPACE shop WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
		"CREATE TABLE shop.orders (customer text, number int, total decimal, PRIMARY KEY (customer, number))",
	} {
		if err := s.Query(ddl).Exec(ctx); err != nil {
			log.Fatal(err)
		}
	}
	err = s.Query("INSERT INTO shop.orders (customer, number, total) VALUES (?, ?, ?)", "ada", 1, "19.90").Exec(ctx)
	if err != nil {
		log.Fatal(err)
	}
	var total string
	err = s.Query("SELECT total FROM shop.orders WHERE customer = ? AND number = ?", "ada", 1).Scan(ctx, &total)
	fmt.Println(total, err)
	// Output: 19.90 <nil>
}

// demonstration returns a session in a keyspace with a table of parcels, for the other examples.
func demonstration(ctx context.Context) (s *node.Session, stop func()) {
	dir, err := os.MkdirTemp("", "ilium-")
	if err != nil {
		log.Fatal(err)
	}
	cfg := config.Default()
	cfg.DataDirectory, cfg.Memory = dir, 64*config.MiB
	n, err := node.Start(ctx, cfg)
	if err != nil {
		log.Fatal(err)
	}
	s = n.Session()
	must(s.Query("CREATE KEYSPACE post WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}").Exec(ctx))
	must(s.Query("USE post").Exec(ctx))
	must(s.Query("CREATE TABLE parcels (town text, number int, weight_kg float, labels set<text>, PRIMARY KEY (town, number))").Exec(ctx))
	return s, func() {
		must(n.Stop())
		must(os.RemoveAll(dir))
	}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func ExampleSession_Query() {
	ctx := context.Background()
	s, stop := demonstration(ctx)
	defer stop()
	for number, weight := range []float32{1.5, 0.25, 7} {
		must(s.Query("INSERT INTO parcels (town, number, weight_kg) VALUES (?, ?, ?)", "Troy", number, weight).Exec(ctx))
	}

	rows := s.Query("SELECT number, weight_kg FROM parcels WHERE town = ?", "Troy").Iter(ctx)
	for rows.Next() {
		var number int
		var weight float32
		must(rows.Scan(&number, &weight))
		fmt.Println(number, weight)
	}
	must(rows.Close())
	// Output:
	// 0 1.5
	// 1 0.25
	// 2 7
}

func ExampleSession_Prepare() {
	ctx := context.Background()
	s, stop := demonstration(ctx)
	defer stop()

	insert, err := s.Prepare("INSERT INTO parcels (town, number, labels) VALUES (?, ?, ?)")
	must(err)
	must(insert.Query("Troy", 1, []string{"urgent", "fragile"}).Exec(ctx))
	must(insert.Query("Troy", 2, nil).Exec(ctx))

	var labels []string
	must(s.Query("SELECT labels FROM parcels WHERE town = 'Troy' AND number = 1").Scan(ctx, &labels))
	fmt.Println(labels)
	// Output: [fragile urgent]
}

func ExampleNamed() {
	ctx := context.Background()
	s, stop := demonstration(ctx)
	defer stop()

	must(s.Query("INSERT INTO parcels (town, number, weight_kg) VALUES (:town, :number, :weight)",
		node.Named{Name: "number", Value: 1}, node.Named{Name: "town", Value: "Troy"}, node.Named{Name: "weight", Value: 2.5}).Exec(ctx))

	var weight float64
	must(s.Query("SELECT weight_kg FROM parcels WHERE town = :t AND number = 1", node.Named{Name: "t", Value: "Troy"}).Scan(ctx, &weight))
	fmt.Println(weight)
	// Output: 2.5
}

// Unset leaves a column as it is, where nil deletes it.
func ExampleUnset() {
	ctx := context.Background()
	s, stop := demonstration(ctx)
	defer stop()

	show := func() {
		var weight *float32
		must(s.Query("SELECT weight_kg FROM parcels WHERE town = 'Troy' AND number = 1").Scan(ctx, &weight))
		if weight == nil {
			fmt.Println("no weight")
		} else {
			fmt.Println(*weight)
		}
	}
	insert, err := s.Prepare("INSERT INTO parcels (town, number, weight_kg) VALUES ('Troy', 1, ?)")
	must(err)
	must(insert.Query(2.5).Exec(ctx))
	must(insert.Query(node.Unset).Exec(ctx))
	show()
	must(insert.Query(nil).Exec(ctx))
	show()
	// Output:
	// 2.5
	// no weight
}

func ExampleIter_ScanStruct() {
	ctx := context.Background()
	s, stop := demonstration(ctx)
	defer stop()
	must(s.Query("INSERT INTO parcels (town, number, weight_kg, labels) VALUES ('Troy', 1, 2.5, {'urgent'})").Exec(ctx))

	type parcel struct {
		Town     string
		ID       int     `cql:"number"`
		WeightKg float64 // letter case and underscores aside, the column's name
		Labels   []string
	}
	rows := s.Query("SELECT * FROM parcels").Iter(ctx)
	for rows.Next() {
		var p parcel
		must(rows.ScanStruct(&p))
		fmt.Printf("%+v\n", p)
	}
	must(rows.Close())
	// Output: {Town:Troy ID:1 WeightKg:2.5 Labels:[urgent]}
}

func ExampleIter_ScanMap() {
	ctx := context.Background()
	s, stop := demonstration(ctx)
	defer stop()
	must(s.Query("INSERT INTO parcels (town, number, labels) VALUES ('Troy', 1, {'urgent'})").Exec(ctx))

	rows := s.Query("SELECT * FROM parcels").Iter(ctx)
	for rows.Next() {
		row, err := rows.ScanMap()
		must(err)
		fmt.Println(row)
	}
	must(rows.Close())
	// Output: map[labels:[urgent] number:1 town:Troy weight_kg:<nil>]
}

// A page of rows, and later the rest: the page state can be handed out and taken back, also by a node that was restarted.
func ExampleIter_PageState() {
	ctx := context.Background()
	s, stop := demonstration(ctx)
	defer stop()
	for number := range 5 {
		must(s.Query("INSERT INTO parcels (town, number) VALUES ('Troy', ?)", number).Exec(ctx))
	}

	q := s.Query("SELECT number FROM parcels WHERE town = 'Troy'").PageSize(3)
	page := q.Iter(ctx)
	for page.PageLeft() > 0 && page.Next() {
		var number int
		must(page.Scan(&number))
		fmt.Println(number)
	}
	state := page.PageState()
	must(page.Close())

	fmt.Println("the rest:")
	rest := q.PageState(state).Iter(ctx)
	for rest.Next() {
		var number int
		must(rest.Scan(&number))
		fmt.Println(number)
	}
	must(rest.Close())
	// Output:
	// 0
	// 1
	// 2
	// the rest:
	// 3
	// 4
}

// The statements of a batch are carried out together: all or none.
func ExampleSession_Batch() {
	ctx := context.Background()
	s, stop := demonstration(ctx)
	defer stop()

	insert, err := s.Prepare("INSERT INTO parcels (town, number) VALUES (?, ?)")
	must(err)
	b := s.Batch().Add(insert, "Troy", 1).Add(insert, "Troy", 2).AddText("DELETE FROM parcels WHERE town = 'Argos'")
	must(b.Exec(ctx))

	b.Reset()
	b.Add(insert, "Troy", 3).Add(insert, "Troy", "four")
	fmt.Println(b.Exec(ctx))

	var count int
	must(s.Query("SELECT count(*) FROM parcels").Scan(ctx, &count))
	fmt.Println(count)
	// Output:
	// statement 2 of the batch: value 2 (number): cannot encode string as int
	// 2
}

// Of two writes the one with the newer timestamp stays, whatever their order.
func ExampleQuery_Timestamp() {
	ctx := context.Background()
	s, stop := demonstration(ctx)
	defer stop()

	update, err := s.Prepare("UPDATE parcels SET weight_kg = ? WHERE town = 'Troy' AND number = 1")
	must(err)
	day := time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)
	must(update.Query(2.5).Timestamp(day.UnixMicro()).Exec(ctx))
	must(update.Query(1.0).Timestamp(day.Add(-time.Hour).UnixMicro()).Exec(ctx))

	var weight float32
	must(s.Query("SELECT weight_kg FROM parcels WHERE town = 'Troy' AND number = 1").Scan(ctx, &weight))
	fmt.Println(weight)
	// Output: 2.5
}

// Of three copies a quorum is two, and a single node holds one.
func ExampleQuery_Consistency() {
	ctx := context.Background()
	s, stop := demonstration(ctx)
	defer stop()
	must(s.Query("CREATE KEYSPACE safe WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 3}").Exec(ctx))
	must(s.Query("CREATE TABLE safe.keys (k int PRIMARY KEY)").Exec(ctx))

	insert, err := s.Prepare("INSERT INTO safe.keys (k) VALUES (1)")
	must(err)
	err = insert.Query().Consistency(consistency.Quorum).Exec(ctx)
	var unavailable *coordinator.UnavailableError
	if errors.As(err, &unavailable) {
		fmt.Printf("%s: %d of %d replicas are alive\n", unavailable.Level, unavailable.Alive, unavailable.Required)
	}
	fmt.Println(insert.Query().Consistency(consistency.One).Exec(ctx))
	// Output:
	// QUORUM: 1 of 2 replicas are alive
	// <nil>
}
