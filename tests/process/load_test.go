package process

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

var (
	readyLine    = regexp.MustCompile(`^ready in (\d+) ms$`)
	progressLine = regexp.MustCompile(`^ *\d+ %  (\d+) messages  .* postings/s$`)
	loadedLine   = regexp.MustCompile(`(?m)^loaded (\d+) messages: (\d+) term postings, (\d+) interaction postings in `)
	beforeLine   = regexp.MustCompile(`(?m)^(\d+) messages had been loaded before$`)
	checkedLine  = regexp.MustCompile(`(?m)^(\d+) searches with (\d+) hits: no difference$`)
)

// generate writes invented mail.
func generate(t *testing.T, file string, messages int) {
	t.Helper()
	o := run(t, "workload", "inbox", "generate", "--seed", "7", "--messages", strconv.Itoa(messages), "--mailboxes", "25", "--out", file)
	if o.code != 0 {
		t.Fatal(o.err)
	}
}

// number returns what the first group of a pattern finds in text, or 0.
func number(t *testing.T, pattern *regexp.Regexp, text string) int {
	t.Helper()
	m := pattern.FindStringSubmatch(text)
	if m == nil {
		return 0
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// resume runs a load to its end, and returns how many of the messages had been loaded before.
func resume(t *testing.T, args []string, messages int) int {
	t.Helper()
	o := run(t, args...)
	if o.code != 0 {
		t.Fatalf("exit status %d, signal %v: %s", o.code, o.signal, o.err)
	}
	before := number(t, beforeLine, o.out)
	if loaded := number(t, loadedLine, o.out); loaded+before != messages {
		t.Errorf("%d messages were loaded and %d before, of %d", loaded, before, messages)
	}
	t.Logf("%s; %s", strings.ReplaceAll(o.out, "\n", "; "), strings.SplitN(o.err, "\n", 2)[0])
	return before
}

// check compares all answers with the mail.
func check(t *testing.T, mail string, sets ...string) {
	t.Helper()
	o := run(t, append([]string{"workload", "inbox", "check", "--data", mail, "--words", "500", "--peers", "500"}, sets...)...)
	if o.code != 0 || number(t, checkedLine, o.out) == 0 {
		t.Errorf("check: exit status %d: %s %s", o.code, o.out, o.err)
	}
	t.Logf("%s; %s", o.out, o.err)
}

// setup returns a generated mail file and the settings of a node in a new directory.
func setup(t *testing.T, messages int) (mail string, sets []string, load []string) {
	t.Helper()
	mail = filepath.Join(t.TempDir(), "mail.jsonl")
	generate(t, mail, messages)
	sets = []string{"--set", "data_directory=" + t.TempDir(), "--set", "memory=64MiB"}
	return mail, sets, append([]string{"workload", "inbox", "load", "--data", mail}, sets...)
}

// A load is killed while the node starts, and in its middle, until it is complete: each run goes
// on where the one before had come to.
func TestLoadSurvivesKill(t *testing.T) {
	t.Parallel()
	random, _ := newRandom(t)
	const messages = 4000
	mail, sets, load := setup(t, messages)
	shown, killed := 0, 0
	for kill := range 5 * rounds(t) {
		p := ilium(t, load...)
		d := millis(random, 80) // while it starts
		if kill%2 == 0 {
			if m := p.err.await(progressLine); m != nil { // it has saved its progress just before
				shown = number(t, progressLine, m[0])
			}
			d = millis(random, 600)
		}
		if p.killAfter(d) {
			killed++
		}
	}
	t.Logf("%d kills", killed)
	if killed == 0 {
		t.Error("the load was never killed")
	}
	if before := resume(t, load, messages); shown > 0 && before == 0 {
		t.Errorf("nothing was loaded before, though %d messages were shown", shown)
	}
	check(t, mail, sets...)
	if before := resume(t, load, messages); before != messages {
		t.Errorf("another run: %d messages had been loaded before", before)
	}
}

// A load that is interrupted ends cleanly, says how to go on, and does so.
func TestLoadIsInterrupted(t *testing.T) {
	for name, signal := range map[string]syscall.Signal{"SIGINT": syscall.SIGINT, "SIGTERM": syscall.SIGTERM} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const messages = 1500
			mail, sets, load := setup(t, messages)
			p := ilium(t, load...)
			p.err.await(progressLine)
			p.signal(signal)
			interrupted := 0
			if o := p.wait(); o.code != 0 { // else it was done before
				interrupted++
				if o.code != 1 || !strings.HasSuffix(o.err, "ilium: interrupted; run the same command again to continue") {
					t.Errorf("exit status %d, signal %v: %s", o.code, o.signal, o.err)
				}
			}
			p = ilium(t, load...)
			p.err.await(readyLine)
			p.signal(signal)
			if o := p.wait(); o.code > 1 || o.code < 0 {
				t.Errorf("just after the start: exit status %d, signal %v: %s", o.code, o.signal, o.err)
			}
			if before := resume(t, load, messages); before == 0 && interrupted > 0 {
				t.Error("nothing was loaded before")
			}
			check(t, mail, sets...)
		})
	}
}

// A full disk stops a load in the same way.
func TestLoadOnFullDisk(t *testing.T) {
	t.Parallel()
	const messages = 1500
	mail, _, _ := setup(t, messages)
	disk := smallDisk(t, 280<<20)
	others := filepath.Join(disk, "others")
	occupy(t, others, 105<<20)
	sets := []string{"--set", "data_directory=" + filepath.Join(disk, "data"), "--set", "memory=64MiB"}
	load := append([]string{"workload", "inbox", "load", "--data", mail}, sets...)
	o := run(t, load...)
	if o.code != 1 || !strings.Contains(o.err, "no space for writes: ") {
		t.Fatalf("exit status %d, signal %v: %s %s", o.code, o.signal, o.out, o.err)
	}
	t.Log(o.err)
	refused := func(want string, statement string) {
		t.Helper()
		o := run(t, append([]string{"cql", statement}, sets...)...)
		if text := o.out + o.err; !strings.Contains(text, want) {
			t.Errorf("%s: exit status %d, want %s: %s", statement, o.code, want, text)
		}
	}
	occupy(t, filepath.Join(disk, "more"), max(1, free(t, disk)-40<<20))
	refused("(1 rows)", "SELECT user_id FROM inbox.messages LIMIT 1")
	refused("no space for writes: ", "INSERT INTO inbox.load_progress (source, path) VALUES ('a', 'b')")
	for _, file := range []string{"others", "more"} {
		if err := syscall.Unlink(filepath.Join(disk, file)); err != nil {
			t.Fatal(err)
		}
	}
	resume(t, load, messages)
	check(t, mail, sets...)
}
