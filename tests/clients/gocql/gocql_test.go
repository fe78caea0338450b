package gocql

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/apache/cassandra-gocql-driver/v2"
	"github.com/apache/cassandra-gocql-driver/v2/lz4"
	"github.com/apache/cassandra-gocql-driver/v2/snappy"
	"gopkg.in/inf.v0"
)

var hosts = flag.String("hosts", "", "the `address` of a running server; without it one is started")

// patience is how long a server may take to start or to stop.
const patience = 30 * time.Second

// startServer runs the program and returns where it listens.
func startServer(t *testing.T) string {
	if *hosts != "" {
		return *hosts
	}
	binary := filepath.Join(t.TempDir(), "ilium")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Dir = "../../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return startBinary(t, binary, t.TempDir(), "0").address
}

// A server is the running program.
type server struct {
	address string
	stop    func()
}

var readyLine = regexp.MustCompile(`ready in \d+ ms at (\S+)`)

func startBinary(t *testing.T, binary, directory, port string) *server {
	t.Helper()
	cmd := exec.Command(binary, "start", "--set", "native_transport_port="+port, "--set", "data_directory="+directory)
	cmd.Dir = t.TempDir()
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	stopped := false
	s := &server{stop: func() {
		if stopped {
			return
		}
		stopped = true
		kill := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() }) // it may have ended just now
		defer kill.Stop()
		if err := errors.Join(cmd.Process.Signal(syscall.SIGTERM), cmd.Wait()); err != nil {
			t.Error("the program ended with", err)
		}
	}}
	t.Cleanup(s.stop)
	line, err := bufio.NewReader(out).ReadString('\n')
	match := readyLine.FindStringSubmatch(line)
	if err != nil || match == nil {
		t.Fatal(line, err)
	}
	t.Log(strings.TrimSpace(line))
	s.address = match[1]
	return s
}

func connect(t *testing.T, address string, version int, compressor gocql.Compressor) *gocql.Session {
	t.Helper()
	cluster := gocql.NewCluster(address)
	cluster.ProtoVersion = version
	cluster.Compressor = compressor
	cluster.Timeout = patience
	cluster.ConnectTimeout = patience
	session, err := cluster.CreateSession()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(session.Close)
	return session
}

// TestDriver runs an application's statements in all versions and compressions.
func TestDriver(t *testing.T) {
	address := startServer(t)
	for version := 3; version <= 5; version++ {
		for name, compressor := range map[string]gocql.Compressor{"none": nil, "lz4": lz4.LZ4Compressor{}, "snappy": snappy.SnappyCompressor{}} {
			if version == 5 && name == "snappy" {
				continue // version 5 has no Snappy
			}
			t.Run(fmt.Sprintf("v%d/%s", version, name), func(t *testing.T) {
				application(t, connect(t, address, version, compressor), fmt.Sprintf("go_%d_%s", version, name))
			})
		}
	}
}

func application(t *testing.T, s *gocql.Session, keyspace string) {
	run := func(text string, values ...any) {
		t.Helper()
		if err := s.Query(text, values...).Exec(); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	run("DROP KEYSPACE IF EXISTS " + keyspace)
	run("CREATE KEYSPACE " + keyspace + " WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
	t.Cleanup(func() {
		if err := s.Query("DROP KEYSPACE " + keyspace).Exec(); err != nil {
			t.Error(err)
		}
	})
	t.Run("types", func(t *testing.T) { types(t, s, keyspace) })
	t.Run("paging", func(t *testing.T) { paging(t, s, keyspace) })
	t.Run("errors", func(t *testing.T) {
		err := s.Query("SELECT * FROM " + keyspace + ".nothing").Exec()
		if failed, ok := err.(gocql.RequestError); !ok || failed.Code() != gocql.ErrCodeInvalid {
			t.Errorf("%T %v", err, err)
		}
	})
	t.Run("metadata", func(t *testing.T) {
		tick := time.NewTicker(50 * time.Millisecond) // the driver looks a while after it has heard of a change
		defer tick.Stop()
		deadline := time.After(patience)
		for {
			m, err := s.KeyspaceMetadata(keyspace)
			if err == nil && m.Tables["types"] != nil && m.Tables["types"].Columns["v_int"] != nil {
				return
			}
			select {
			case <-tick.C:
			case <-deadline:
				t.Fatalf("%+v %v", m, err)
			}
		}
	})
}

// types stores a value of each type and reads it back.
func types(t *testing.T, s *gocql.Session, keyspace string) {
	values := []struct {
		cql   string
		value any
	}{
		{"ascii", "abc"}, {"bigint", int64(1) << 40}, {"blob", []byte{1, 2}}, {"boolean", true},
		{"date", time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)}, {"decimal", *inf.NewDec(12345, 2)}, {"double", 1.5}, {"float", float32(2.5)},
		{"inet", net.IPv4(10, 1, 2, 3).To4()}, {"int", 7}, {"smallint", int16(-3)}, {"text", "grün"}, {"time", 3 * time.Second},
		{"timestamp", time.UnixMilli(1700000000123).UTC()}, {"timeuuid", gocql.TimeUUID()}, {"tinyint", int8(-1)},
		{"uuid", gocql.MustRandomUUID()}, {"varchar", "v"}, {"varint", *big.NewInt(-99)},
		{"list<int>", []int{3, 1, 2}}, {"set<text>", []string{"a", "b"}}, {"map<text, int>", map[string]int{"x": 1}},
		{"frozen<list<frozen<map<int, text>>>>", []map[int]string{{1: "one"}}},
		{"duration", gocql.Duration{Months: 1, Days: 2, Nanoseconds: 3}},
		{"vector<float, 3>", []float32{1, 2, 3}},
	}
	text := "CREATE TABLE " + keyspace + ".types (k int PRIMARY KEY"
	names := make([]string, len(values))
	letters := regexp.MustCompile("[^a-z]+")
	for i, v := range values {
		names[i] = "v_" + strings.Trim(letters.ReplaceAllString(v.cql, "_"), "_")
		text += ", " + names[i] + " " + v.cql
	}
	if err := s.Query(text + ")").Exec(); err != nil {
		t.Fatal(err)
	}
	for i, v := range values {
		if err := s.Query("INSERT INTO "+keyspace+".types (k, "+names[i]+") VALUES (?, ?)", i, v.value).Exec(); err != nil {
			t.Errorf("%s: %v", v.cql, err)
			continue
		}
		got := reflect.New(reflect.TypeOf(v.value))
		if err := s.Query("SELECT "+names[i]+" FROM "+keyspace+".types WHERE k = ?", i).Scan(got.Interface()); err != nil {
			t.Errorf("%s: %v", v.cql, err)
		} else if fmt.Sprint(got.Elem().Interface()) != fmt.Sprint(v.value) {
			t.Errorf("%s: %v became %v", v.cql, v.value, got.Elem())
		}
	}
}

// paging writes 10,000 rows in batches and reads them in pages.
func paging(t *testing.T, s *gocql.Session, keyspace string) {
	if err := s.Query("CREATE TABLE " + keyspace + ".rows (k int, c int, v text, PRIMARY KEY (k, c))").Exec(); err != nil {
		t.Fatal(err)
	}
	const n, batch = 10000, 500
	for start := 0; start < n; start += batch {
		b := s.Batch(gocql.UnloggedBatch)
		for c := start; c < start+batch; c++ {
			b.Query("INSERT INTO "+keyspace+".rows (k, c, v) VALUES (?, ?, ?)", c%2, c, "row")
		}
		if err := b.Exec(); err != nil {
			t.Fatal(err)
		}
	}
	count, sum := 0, 0
	rows := s.Query("SELECT c FROM " + keyspace + ".rows").PageSize(777).Iter()
	for c := 0; rows.Scan(&c); {
		count++
		sum += c
	}
	if err := rows.Close(); err != nil || count != n || sum != n*(n-1)/2 {
		t.Errorf("%d rows, sum %d, %v", count, sum, err)
	}
}

// TestRestart goes on with the same session after the server was stopped and started.
func TestRestart(t *testing.T) {
	if *hosts != "" {
		t.Skip("the server is not ours")
	}
	binary := filepath.Join(t.TempDir(), "ilium")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Dir = "../../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	directory := t.TempDir()
	first := startBinary(t, binary, directory, "0")
	s := connect(t, first.address, 5, nil)
	for _, text := range []string{
		"CREATE KEYSPACE r WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}", "CREATE TABLE r.t (k int PRIMARY KEY)",
	} {
		if err := s.Query(text).Exec(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Query("INSERT INTO r.t (k) VALUES (?)", 1).Exec(); err != nil {
		t.Fatal(err)
	}
	first.stop()
	_, port, err := net.SplitHostPort(first.address)
	if err != nil {
		t.Fatal(err)
	}
	startBinary(t, binary, directory, port)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(2 * patience)
	for {
		err := s.Query("INSERT INTO r.t (k) VALUES (?)", 2).Exec() // it has to be prepared again
		if err == nil {
			break
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal(err)
		}
	}
	n := 0
	if err := s.Query("SELECT count(*) FROM r.t").Scan(&n); err != nil || n != 2 {
		t.Errorf("%d rows, %v", n, err)
	}
}
