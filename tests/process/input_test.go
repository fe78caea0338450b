package process

import (
	"compress/gzip"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// A refusal is a call of the program that must fail with exit status 1 and one line of explanation.
type refusal struct {
	name    string
	environ []string
	args    []string
	want    string // a regular expression for the whole message
}

func (r refusal) test(t *testing.T) {
	t.Run(r.name, func(t *testing.T) {
		t.Parallel()
		o := runWith(t, func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, r.environ...) }, r.args...)
		message := o.err[strings.LastIndexByte("\n"+o.err, '\n'):] // the last line
		if o.code != 1 || !regexp.MustCompile(`^ilium: (?:`+r.want+`)$`).MatchString(message) {
			t.Errorf("exit status %d, signal %v, want %s\n%s", o.code, o.signal, r.want, o.err)
		}
		t.Log(o.err)
	})
}

func dataIn(dir string) string { return "data_directory=" + dir }

// Directories that cannot be used.
func TestBadDirectory(t *testing.T) {
	used := t.TempDir()
	if o := run(t, "cql", "--set", dataIn(used), "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"); o.code != 0 {
		t.Fatal(o.err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	quoted := regexp.QuoteMeta
	for _, r := range []refusal{
		{"file", nil, []string{"cql", "--set", dataIn(file), "SELECT 1"}, `data directory: mkdir ` + quoted(file) + `: not a directory`},
		{"below a file", nil, []string{"cql", "--set", dataIn(file + "/x"), "SELECT 1"}, `data directory: mkdir ` + quoted(file) + `: not a directory`},
		{"other cluster", nil, []string{"cql", "--set", dataIn(used), "--set", "cluster_name=Other", "SELECT 1"},
			`Saved cluster name Test Cluster != configured name Other`},
	} {
		r.test(t)
	}
}

// A directory that must not be read. For root no permission stands in the way, so root runs the
// program as another user.
func TestUnreadableDirectory(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0); err != nil {
		t.Fatal(err)
	}
	o := runWith(t, func(cmd *exec.Cmd) {
		if os.Geteuid() == 0 {
			cmd.SysProcAttr, cmd.Dir = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}, "/"
		}
	}, "cql", "--set", dataIn(dir), "SELECT 1")
	if o.code != 1 || !strings.HasPrefix(o.err, "ilium: data directory") || !strings.HasSuffix(o.err, dir+": permission denied") {
		t.Errorf("exit status %d, signal %v: %s", o.code, o.signal, o.err)
	}
	t.Log(o.err)
}

// While one process uses a directory, another is refused, and does no harm.
func TestSecondProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := startRole(t, "loader", "-dir", dir)
	if p.out.await(regexp.MustCompile("^loaded$")) == nil {
		t.Fatal(p.wait().err)
	}
	o := run(t, "cql", "--set", dataIn(dir), "SELECT 1")
	if want := "ilium: another process is using the data directory: " + dir; o.code != 1 || o.err != want {
		t.Errorf("exit status %d: %s", o.code, o.err)
	}
	p.kill()
	p.wait()
	var s tally
	if !s.read(t, "after the first was killed", dir) || s.errors > 0 {
		t.Error(&s)
	}
}

// Settings that are wrong: the message names the source, the line, the setting, the value, and
// what is allowed.
func TestBadSettings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ilium.yaml")
	if err := os.WriteFile(file, []byte("cluster_name: x\nmemry: 1GiB\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const size = `"lots" is not a size: write a whole number and one of the units B, KiB, MiB or GiB, as in 16MiB`
	for _, r := range []refusal{
		{"unknown key in a file", nil, []string{"cql", "--config", file, "SELECT 1"},
			regexp.QuoteMeta(file) + `:2: memry: unknown setting; did you mean memory\?`},
		{"no such file", nil, []string{"cql", "--config", file + "x", "SELECT 1"}, `.*` + regexp.QuoteMeta(file) + `x.*no such file or directory`},
		{"type in the environment", []string{"ILIUM_MEMORY=lots"}, []string{"cql", "SELECT 1"}, `ILIUM_MEMORY: memory: ` + size},
		{"type in --set", nil, []string{"cql", "--set", "memory=lots", "SELECT 1"}, `--set: memory: ` + size},
		{"unknown key in --set", nil, []string{"cql", "--set", "comitlog_sync=group", "SELECT 1"},
			`--set: comitlog_sync: unknown setting; did you mean commitlog_sync\?`},
		{"no value in --set", nil, []string{"cql", "--set", "memory", "SELECT 1"}, `--set: "memory" is not in the form name=value`},
		{"unknown variable", []string{"ILIUM_MEMORIES=1GiB"}, []string{"cql", "SELECT 1"}, `ILIUM_MEMORIES: unknown setting; did you mean ILIUM_MEMORY\?`},
		{"unknown flag", nil, []string{"cql", "--memory", "1GiB"}, `unknown flag: --memory`},
		{"unknown command", nil, []string{"backup"}, `unknown command "backup" for "ilium"`},
	} {
		r.test(t)
	}
}

// Statements that are wrong, as Cassandra words it.
func TestBadCQL(t *testing.T) {
	dir := t.TempDir()
	o := run(t, "cql", "--set", dataIn(dir),
		"CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
		"CREATE TABLE k.t (a text, b int, v int, PRIMARY KEY (a, b))", "INSERT INTO k.t (a, b, v) VALUES ('x', 1, 2)", "SELECT * FROM k.t")
	if want := "\n a | b | v\n---+---+---\n x | 1 | 2\n\n(1 rows)"; o.code != 0 || o.out != want {
		t.Fatalf("exit status %d: %s %s", o.code, o.out, o.err)
	}
	for _, c := range []struct{ statement, want string }{
		{"SELEC * FROM k.t", `line 1:0 no viable alternative at input 'SELEC'.*`},
		{"SELECT * FORM k.t", `line 1:9 .*'FORM'.*`},
		{"SELECT * FROM k.t WHERE a = 'x", `line 1:.*`},
		{"SELECT * FROM k.nope", `table nope does not exist`},
		{"SELECT * FROM nope.t", `keyspace nope does not exist`},
		{"SELECT * FROM t", `No keyspace has been specified\. USE a keyspace, or explicitly specify keyspace\.tablename`},
		{"SELECT nope FROM k.t", `Undefined column name nope in table k\.t`},
		{"INSERT INTO k.t (a, b, v) VALUES (1, 2, 3)", `Invalid INTEGER constant \(1\) for "a" of type text`},
		{"INSERT INTO k.t (a, v) VALUES ('x', 3)", `Some clustering keys are missing: b`},
		{"SELECT * FROM k.t WHERE v = 1", `Cannot execute this query as it might involve data filtering.*ALLOW FILTERING`},
	} {
		refusal{name: c.statement, args: []string{"cql", "--set", dataIn(t.TempDir()), c.statement}, want: c.want}.onCopy(t, dir)
	}
}

// onCopy runs the refusal on a directory of its own, a copy of the one given.
func (r refusal) onCopy(t *testing.T, dir string) {
	r.args[2] = dataIn(copyDir(t, dir))
	r.test(t)
}

// Keys of 65,535 bytes are the longest that the protocol can carry; Ilium's storage has its own limit.
func TestLongKeys(t *testing.T) {
	dir := t.TempDir()
	o := run(t, "cql", "--set", dataIn(dir),
		"CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}", "CREATE TABLE k.t (a text, b text, PRIMARY KEY (a, b))")
	if o.code != 0 {
		t.Fatal(o.err)
	}
	check := func(want string, statement string, sizes ...int) {
		t.Helper()
		name := fmt.Sprint(sizes)
		for _, n := range sizes {
			statement = strings.Replace(statement, "?", "'"+strings.Repeat("x", n)+"'", 1)
		}
		p := ilium(t, "cql", "--set", dataIn(dir))
		if _, err := fmt.Fprintln(p.in, statement+";"); err != nil {
			t.Fatal(err)
		}
		if o := p.wait(); (o.code == 0) != (want == "") || !strings.Contains(o.err, want) {
			t.Errorf("%.30s %s: exit status %d, want %q: %.300s %.300s", statement, name, o.code, want, o.out, o.err)
		} else {
			t.Logf("%s: %.300s", name, o.err)
		}
	}
	const insert = "INSERT INTO k.t (a, b) VALUES (?, ?)"
	check("", insert, 60_000, 1)
	check("", insert, 1, 60_000)
	check("Key length of 65536 is longer than maximum of 65535", insert, 65_536, 1)
	check("is longer than maximum of 64987", insert, 65_535, 1) // storage takes a little less than the protocol
	check("is longer than maximum of 64987", insert, 40_000, 40_000)
	check("Key length of 65536 is longer than maximum of 65535", insert, 1, 65_536)
	check("Key length of 65536 is longer than maximum of 65535", "SELECT * FROM k.t WHERE a = ?", 65_536)
	check("", "SELECT b FROM k.t WHERE a = ?", 60_000)
	if o := run(t, "cql", "--set", dataIn(dir), "SELECT count(*) FROM k.t"); !strings.Contains(o.out, "\n     2\n") {
		t.Errorf("rows: %s %s", o.out, o.err)
	}
}

// Mail files that end too early: what is whole is loaded, and the message says where the rest is missing.
func TestTruncatedMail(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "mail.jsonl")
	generate(t, whole, 200)
	text, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	zipped := filepath.Join(t.TempDir(), "mail.jsonl.gz")
	f, err := os.Create(zipped)
	if err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(f)
	if _, err := z.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	compressed, err := os.ReadFile(zipped)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, file string
		data       []byte
		want       string
	}{
		{"jsonl", "mail.jsonl", text[:len(text)/2], `mail: FILE: at line \d+ \(byte \d+\): the file is cut off inside a JSON object`},
		{"gz", "mail.jsonl.gz", compressed[:len(compressed)/2], `mail: FILE: at line \d+ \(byte \d+\): the gzip data ends too early: the file is cut off`},
		{"gz without its checksum", "mail.jsonl.gz", compressed[:len(compressed)-4], `mail: FILE: .*the gzip data ends too early: the file is cut off`},
		{"gz header", "mail.jsonl.gz", compressed[:5], `mail: .*FILE: .*`},
		{"not gz", "mail.jsonl.gz", text[:100], `mail: .*FILE: .*`},
		{"empty gz", "mail.jsonl.gz", nil, `mail: no mail in FILE: FILE: empty file.*`},
		{"no mail", "mail.jsonl", []byte("hello\nworld\n"), `mail: no mail in FILE: FILE: neither JSON lines nor mbox.*`},
	} {
		file := filepath.Join(t.TempDir(), c.file)
		if err := os.WriteFile(file, c.data, 0o600); err != nil {
			t.Fatal(err)
		}
		sets := []string{"--data", file, "--set", dataIn(t.TempDir()), "--set", "memory=64MiB"}
		refusal{"load " + c.name, nil, append([]string{"workload", "inbox", "load"}, sets...), strings.ReplaceAll(c.want, "FILE", regexp.QuoteMeta(file))}.test(t)
	}
	missing := filepath.Join(t.TempDir(), "nope.jsonl")
	refusal{"no file", nil, []string{"workload", "inbox", "load", "--data", missing, "--set", dataIn(t.TempDir())},
		`mail: stat ` + regexp.QuoteMeta(missing) + `: no such file or directory`}.test(t)
}

// A file that was cut is repaired, and the load goes on.
func TestRepairedMail(t *testing.T) {
	t.Parallel()
	mail, sets, load := setup(t, 300)
	text, err := os.ReadFile(mail)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(mail, text[:len(text)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	if o := run(t, load...); o.code != 1 {
		t.Fatalf("exit status %d: %s", o.code, o.err)
	}
	o := run(t, append([]string{"workload", "inbox", "check", "--data", mail}, sets...)...)
	if o.code != 1 || !strings.HasSuffix(o.err, "ilium: the mail was not loaded to its end: run load first") {
		t.Errorf("check of a load that failed: exit status %d: %s", o.code, o.err)
	}
	if err := os.WriteFile(mail, text, 0o600); err != nil {
		t.Fatal(err)
	}
	resume(t, load, 300)
	check(t, mail, sets...)
}
